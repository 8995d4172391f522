import numpy as np
import orjson
import pytest

from tasks.selectors.rejection_sampled import accepted, rejection_sampled
from tests.support.scored import one, places

REWARDS = np.array([1.0, 0.5, 0.0, -1.0])
BEGIN = np.array([0])


def rounds(keep, *tosses, scores=REWARDS, beta=0.5):
    return accepted(scores, BEGIN, keep, beta, lambda turn: np.array(tosses[turn - 1])).tolist()


@pytest.mark.parametrize(("place", "chance"), [(0, 1.0), (1, 0.3679), (2, 0.1353), (3, 0.0183)])
def test_the_first_round_accepts_with_the_published_probabilities(place, chance):
    below, above = np.ones(4), np.ones(4)
    below[place], above[place] = chance - 6e-5, min(chance + 6e-5, 1.0)
    later = [np.zeros(4)] * 4
    assert rounds(4, below, *later)[place] == 1
    assert chance == 1.0 or rounds(4, above, *later)[place] != 1


def test_the_second_round_begins_from_the_highest_left():
    assert rounds(2, [0.9, 0.5, 0.1, 0.5]) == [1, 0, 1, 0]
    assert rounds(3, [0.9, 0.5, 0.1, 0.5], [0.5, 0.999, 0.5, 0.0497]) == [1, 2, 1, 0]
    assert rounds(4, [0.9, 0.5, 0.1, 0.5], [0.5, 0.999, 0.5, 0.0497]) == [1, 2, 1, 2]
    assert rounds(4, [0.9, 0.5, 0.1, 0.5], [0.5, 0.999, 0.5, 0.0499], [0] * 4) == [1, 2, 1, 3]


def test_no_more_are_accepted_than_wanted():
    assert sum(turn > 0 for turn in rounds(3, [0, 0, 0, 0])) == 3


def test_fewer_distinct_than_wanted_ends():
    found = rejection_sampled(*one([5, 4, 3, 2, 1], content_id=list("abcde")), keep=8)
    assert found.height == 2
    same = rejection_sampled(*one([5, 4, 3, 2, 1, 5, 5, 5], content_id=list("abcdeaaa")), keep=8, pairing="tournament")
    assert same.height == 4


def test_first_round_makes_half_as_many_pairs_and_a_tournament_one_less():
    tables = one([float(i) for i in range(8)])
    assert rejection_sampled(*tables, keep=8).height == 4
    pairs = places(rejection_sampled(*tables, keep=8, pairing="tournament"))
    assert len(pairs) == 7
    assert sorted(rejected for _, rejected in pairs) == [0, 1, 2, 3, 4, 5, 6]  # everyone but the best loses once


def test_first_round_uses_each_completion_once():
    pairs = places(rejection_sampled(*one([float(i) for i in range(64)]), keep=9))
    used = [place for pair in pairs for place in pair]
    assert len(used) == len(set(used)) == 8


def test_a_small_beta_keeps_the_best_and_a_large_one_anything():
    tables = one([float(i) for i in range(64)])
    best = rejection_sampled(*tables, keep=8, beta=1e-3)
    assert set(best["chosen_score"]) | set(best["rejected_score"]) == set(range(56, 64))
    kept = rejection_sampled(*tables, keep=8, beta=1e9)
    assert min(kept["rejected_score"]) < 50


def test_a_tie_makes_no_pair():
    assert rejection_sampled(*one([1.0, 1.0]), keep=2).height == 0
    assert rejection_sampled(*one([1.0, 1.0, 1.0]), keep=3, pairing="tournament").height == 0


def test_labels_and_rounds_are_kept():
    found = rejection_sampled(*one([1.0, 0.0]), keep=2, seed=3)
    assert found["p_chosen"].to_list() == pytest.approx([1 / (1 + np.exp(-1.0))])
    turns = orjson.loads(found["meta"][0])["accept_round"]
    assert turns[0] == 1
    assert turns[1] in (1, 2)


def test_scores_that_are_probabilities_become_logits():
    found = rejection_sampled(*one([0.7, 0.5]), keep=2, logits=True)
    assert found["margin"].to_list() == pytest.approx([np.log(0.7 / 0.3)])
    assert found["p_chosen"].to_list() == pytest.approx([0.7])


@pytest.mark.parametrize("chosen", [{"keep": 1}, {"beta": 0.0}])
def test_parameters_out_of_range_are_refused(chosen):
    with pytest.raises(ValueError, match=r"keep is .* and beta"):
        rejection_sampled(*one([1.0]), **chosen)
