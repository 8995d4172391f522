import numpy as np
import orjson
import polars as pl
import pytest

from tasks.selectors.annotator_groups import annotator_groups, assigned, likelihoods
from tests.support.scored import completions, duels


def test_the_likelihood_of_an_annotators_labels_under_each_group():
    tables = {"A": (0.9, 0.8, 0.3), "B": (0.2, 0.3, 0.9)}
    logs = {name: sum(np.log(shares)) for name, shares in tables.items()}
    assert logs["A"] == pytest.approx(-1.5325, abs=6e-5)
    assert logs["B"] == pytest.approx(-2.9188, abs=6e-5)
    # shares of that size out of 8 votes of each group: (wins + 1) / 10
    votes = [(round(10 * share - 1), 8) for name in "AB" for share in tables[name]]
    person = np.repeat(np.arange(2), 3)
    pair = np.tile(np.arange(3), 2)
    people = [(g * 8 + k, p, 1.0 if k < votes[g * 3 + p][0] else 0.0) for g in range(2) for p in range(3)
              for k in range(8)]  # fmt: skip
    who, what, won = (np.array(column) for column in zip(*people, strict=True))
    found = likelihoods(who, what, won, np.repeat([0, 1], 8), 2)
    assert person.size == pair.size == 6
    always = [k for k in range(8) if all(k < votes[p][0] for p in range(3))]
    assert found[always[0]] == pytest.approx([np.log([0.9, 0.8, 0.3]).sum(), np.log([0.2, 0.3, 0.9]).sum()])


def field(prompts):
    return completions([{"completion_id": f"{p}{side}", "prompt_id": p} for p in prompts for side in "ab"])


def voices(prompts, tastes):
    return pl.concat([
        duels([(f"{p}a", f"{p}b", float(taste))], judge=judge, prompt=p)
        for judge, taste in tastes.items() for p in prompts
    ])  # fmt: skip


def test_annotators_of_one_mind_are_one_group():
    prompts = [f"p{i}" for i in range(5)]
    tastes = {"ann": 1, "bob": 1, "cem": 1, "dee": 0, "eli": 0}
    found = annotator_groups(field(prompts), voices(prompts, tastes))
    sides = found.group_by("annotator_group").agg(pl.col("chosen_id").str.tail(1).unique()).sort("annotator_group")
    assert sides.rows() == [("group-1", ["a"]), ("group-2", ["b"])]
    assert {orjson.loads(meta)["annotators"] for meta in found.filter(annotator_group="group-1")["meta"]} == {3}
    assert found.filter(annotator_group="group-1")["p_chosen"].to_list() == [0.8] * 5
    assert found.filter(annotator_group="group-2")["p_chosen"].to_list() == [0.75] * 5


def test_one_group_is_the_majority_and_a_tie_makes_no_pair():
    found = annotator_groups(field(["p"]), voices(["p"], {"ann": 1, "bob": 0, "cem": 1}), groups=1)
    assert found.select("chosen_id", "p_chosen").rows() == [("pa", 0.6)]
    assert annotator_groups(field(["p"]), voices(["p"], {"ann": 1, "bob": 0}), groups=1).height == 0


def test_annotators_with_too_few_labels_are_left_out():
    said = pl.concat([voices(["p", "q"], {"ann": 1}), voices(["p"], {"bob": 0})])
    found = annotator_groups(field(["p", "q"]), said, groups=1, least=2)
    assert found["chosen_id"].to_list() == ["pa", "qa"]


def test_assignment_prefers_the_likeliest_of_several_starts():
    person, pair = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    won = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    found = assigned(person, pair, won, [np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])], 2)
    assert found.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_nobody_judged_anything():
    none = voices(["p"], {"ann": 1}).clear()
    assert annotator_groups(field(["p"]), none).height == 0
    with pytest.raises(ValueError, match="groups is 0"):
        annotator_groups(field(["p"]), none, groups=0)
