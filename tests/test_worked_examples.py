"""Worked examples that take several blocks; those of one block stand with that block's tests."""

from __future__ import annotations

from collections import Counter

import pytest

from tasks.relabelers.write_condition import write_condition
from tasks.scorers.preference_table import preference_table
from tasks.scorers.weighted_sum import weighted_sum
from tasks.scorers.win_probability import win_probability
from tasks.selectors.all_pairs import all_pairs
from tasks.selectors.best_vs_random import best_vs_random
from tasks.selectors.best_vs_worst import best_vs_worst
from tasks.selectors.hierarchical import hierarchical
from tasks.selectors.labelled import labelled
from tasks.weighters.logit_scale import logit_scale
from tests.support.nodes import meta
from tests.support.preferences import pairs
from tests.support.scored import completions, duels, graded, one, places, scored

LEVELS = [3.0] * 4 + [-0.5] * 6 + [-1.0] * 4 + [-3.0] * 2
"""Sixteen samples on four levels: right, wrong, unreadable, out of form."""


def test_trpa_pairs_across_levels_and_right_winners_pull_harder():
    found = all_pairs(*one(LEVELS))
    assert found.height == 92  # of 120: 6 + 15 + 6 + 1 lie within a level
    scaled = logit_scale(found, at_least=3.0, factor=2.5)
    assert Counter(note["logit_scale"] for note in meta(scaled)) == {2.5: 48, 1.0: 44}
    assert all_pairs(*one([3.0] * 16)).height == 0


def test_tulu_takes_a_best_mean_over_any_lower_one():
    aspects = {"helpful": [5, 4, 5, 3], "honest": [4, 4, 4, 3], "true": [5, 4, 5, 3], "follows": [4, 4, 4, 3]}
    rated = graded({"j": {name: [float(each) for each in given] for name, given in aspects.items()}})
    scores = weighted_sum(rated, weights=dict.fromkeys(aspects, 1.0), mean=True)
    scores = scores.filter(criterion="overall")
    assert scores.sort("completion_id")["score"].to_list() == [4.5, 4.0, 4.5, 3.0]
    shown = completions([{"completion_id": f"{i:03d}"} for i in range(4)])
    drawn = {places(best_vs_random(shown, scores, seed=seed))[0] for seed in range(60)}
    assert drawn == {(0, 1), (0, 3)}  # of the two bests the first, and never the other one below it


def test_spo_and_gpm_choose_nobody_in_a_circle():
    circle = duels([("000", "001", 1), ("001", "002", 1), ("002", "000", 1)])
    scores = preference_table(circle)
    assert scores["score"].to_list() == [0.5] * 3
    shown = completions([{"completion_id": f"{i:03d}"} for i in range(3)])
    assert best_vs_worst(shown, scores).height == 0


@pytest.mark.parametrize(("tau", "wins"), [(1.0, 0.7039), (0.1, 0.9998)])
def test_gpm_scores_of_the_third_roots_of_unity(tau, wins):
    found = win_probability(graded({"j": {"c": [0.8660, 0.0]}}), temperature=tau).sort("completion_id")
    assert found["score"].to_list() == pytest.approx([wins, 1 - wins], abs=6e-5)


def test_cpo_lets_a_persons_verdict_go_before_the_metrics():
    metrics = [0.90, 0.84, 0.93]  # of GPT-4, ALMA and the reference
    assert places(best_vs_worst(*one(metrics))) == [(2, 1)]
    assert best_vs_worst(*one([0.9, 0.9, 0.9])).height == 0
    for delta, pair in ((2.0, (0, 1)), (-2.0, (1, 0)), (0.0, (0, 1))):  # 0: the metrics decide
        verdict = scored({"delta": [delta, 0.0], "metric": metrics[:2]})
        assert places(hierarchical(*verdict, factors=["delta", "metric"], tolerances=[0.0, 0.0])) == [pair]


def test_kto_has_two_examples_a_pair_and_as_many_good_ones_as_pairs():
    found = labelled(*one([1.0, 0.0] * 5, prompt_id=[name for name in "pqrst" for _ in range(2)]), threshold=0.5)
    assert (found.height, found["label"].sum()) == (10, 5)


def test_meet_and_l1_leave_a_pair_across_conditions_alone():
    shown = completions(
        [
            {"completion_id": name, "meta": f'{{"condition":"{word}"}}'}
            for name, word in (("c0", "short"), ("r0", "long"))
        ]
    )
    assert write_condition(pairs([{}]), shown)["prompt"][0][0]["role"] == "user"
