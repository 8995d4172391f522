"""A tree as one ranked list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tasks.selectors.tree_lists import cosine, ranks, step_weights, tree_lists
from tests.support.brute import SMALL, Rows, ends, frame, path, share, text
from tests.support.nodes import meta, toy, tree

RIGHT: dict[str, Any] = {"terminal": True, "reward": 1.0}
WRONG: dict[str, Any] = {"terminal": True, "reward": 0.0}


def test_weights_are_one_more_than_the_cosine_with_the_best_step() -> None:
    best = {0: 1.0}
    others = [{0: 1.0}, {1: 1.0}, {0: -1.0}, {0: 0.6, 1: 0.8}]
    assert [1 + cosine(one, best) for one in others] == [pytest.approx(weight) for weight in (2, 1, 0, 1.6)]


def test_a_step_beyond_the_best_answers_last_is_held_against_that() -> None:
    assert step_weights(["a b", "c", "d"], ["a b", "d"]) == [2.0, 1.0, 2.0]
    assert step_weights(["", "d"], ["a b", "d"]) == [1.0, 2.0]


def test_the_toy_tree_is_a_list_of_its_three_ends() -> None:
    found = tree_lists(toy())
    assert found["completion_ids"].to_list() == [["A/A1", "A/A2", "B/B1"]]
    assert found["completions"].to_list() == [["A\nA1\n", "A\nA2\n", "B\nB1\n"]]
    assert found["rewards"].to_list() == [[0.9375, 0.1875, 0.0625]]  # three quarters the end's, a quarter the way's
    assert found["ranks"].to_list() == [[1, 2, 3]]
    assert meta(found)[0]["shared_steps"] == [2, 1, 0]
    assert meta(found)[0]["steps"][1] == ["A\n", "A2\n"]
    assert meta(found)[0]["step_weights"][0] == [2.0, 2.0]


def test_ends_alike_share_a_rank_where_the_way_does_not_count() -> None:
    found = tree_lists(toy(), graded=False)
    assert found["rewards"].to_list() == [[1.0, 0.0, 0.0]]
    assert found["ranks"].to_list() == [[1, 2, 2]]


def test_a_long_list_keeps_both_ends_and_spreads_over_the_rest() -> None:
    rows = tree({f"e{i}": {"terminal": True, "reward": i / 10} for i in range(9)})
    found = tree_lists(rows, longest=5, graded=False)
    assert found["rewards"].to_list() == [[0.8, 0.6, 0.4, 0.2, 0.0]]
    with pytest.raises(ValueError, match="at least 2 answers"):
        tree_lists(rows, longest=1)


def test_a_tree_whose_answers_are_all_alike_teaches_nothing() -> None:
    assert tree_lists(tree({"R": RIGHT, "S": RIGHT})).is_empty()
    assert tree_lists(tree({"R": RIGHT, "S": RIGHT}), mixed=False)["ranks"].to_list() == [[1, 1]]
    assert tree_lists(tree({"R": RIGHT})).is_empty()


def test_an_end_nobody_could_judge_stands_in_no_list() -> None:
    found = tree_lists(tree({"R": RIGHT, "W": WRONG, "?": {"terminal": True, "reward": None}}))
    assert found["completion_ids"].to_list() == [["R", "W"]]


@given(SMALL)
def test_lists_hold_every_judged_answer_in_the_order_of_its_reward(rows: Rows) -> None:
    judged = ends(rows)
    found = tree_lists(frame(rows), longest=99, mixed=False)
    if len(judged) < 2:
        assert found.is_empty()
        return
    row = found.row(0, named=True)
    assert sorted(row["completion_ids"]) == sorted(judged)
    assert row["completions"] == [text(rows, name) for name in row["completion_ids"]]
    for name, reward in zip(row["completion_ids"], row["rewards"], strict=True):
        way = [told for step in path(rows, name)[:-1] if (told := share(rows, step)) is not None]
        end = rows[name]["reward"]
        assert reward == pytest.approx(0.75 * end + 0.25 * (sum(way) / len(way) if way else end), abs=1e-6)
    assert row["rewards"] == sorted(row["rewards"], reverse=True)
    assert row["ranks"] == ranks(row["rewards"]) == sorted(row["ranks"])
    assert all(1.0 <= weight <= 2.0 for weights in meta(found)[0]["step_weights"] for weight in weights)
