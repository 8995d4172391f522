"""Right endings against wrong ones."""

from __future__ import annotations

from tasks.selectors.suffix_pairs import suffix_pairs
from tests.support.nodes import meta, pairs, toy, tree


def test_the_toy_tree_parts_under_a_and_at_the_root() -> None:
    found = suffix_pairs(toy(), per_tree=None)
    assert pairs(found) == [("A/A1", "A/A2"), ("A/A1", "B/B1")]
    under, root = found.sort("prefix", descending=True).to_dicts()
    assert (under["prefix"], under["chosen"][0]["content"], under["rejected"][0]["content"]) == ("A\n", "A1\n", "A2\n")
    assert (root["prefix"], root["chosen"][0]["content"], root["rejected"][0]["content"]) == (
        "", "A\nA1\n", "B\nB1\n",
    )  # fmt: skip
    assert meta(found)[0]["unit"] == "suffix"


def test_endings_must_share_so_many_steps() -> None:
    assert pairs(suffix_pairs(toy(), min_depth=1)) == [("A/A1", "A/A2")]


def test_only_wrong_endings_of_one_origin() -> None:
    end = {"terminal": True, "reward": 0.0, "rollouts": 1, "successes": 0}
    rows = tree(
        {
            "a": {}, "a/R": {**end, "reward": 1.0}, "a/hot": {"meta": {"origin": "controlled"}},
            "a/hot/W": {**end, "meta": {"origin": "controlled"}}, "a/W": end,
        }
    )  # fmt: skip
    assert pairs(suffix_pairs(rows, origin="controlled")) == [("a/R", "a/hot/W")]
    assert len(pairs(suffix_pairs(rows, per_start=5))) == 2


def test_so_many_a_tree_and_a_place() -> None:
    ends = {f"w{i}": {"terminal": True, "reward": 0.0, "rollouts": 1, "successes": 0} for i in range(6)}
    rows = tree({"R": {"terminal": True, "reward": 1.0, "rollouts": 1, "successes": 1}, **ends})
    assert len(pairs(suffix_pairs(rows, per_start=1))) == 1
    assert len(pairs(suffix_pairs(rows, per_start=9, per_tree=4))) == 4
    assert len({tuple(pairs(suffix_pairs(rows, seed=seed))) for seed in range(12)}) > 1


def test_an_end_nobody_could_judge_is_no_wrong_end() -> None:
    rows = tree({"R": {"terminal": True, "reward": 1.0}, "?": {"terminal": True, "reward": None}})
    assert suffix_pairs(rows).is_empty()
