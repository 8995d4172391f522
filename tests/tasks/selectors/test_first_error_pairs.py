"""First errors against the steps that mend them."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.selectors.first_error_pairs import first_error_pairs
from tests.support.nodes import meta, pairs, tree

STEPS = {
    "": {"rollouts": 8, "successes": 4},
    "ok": {"rollouts": 24, "successes": 6},
    "ok/wrong": {"rollouts": 8, "successes": 0, "meta": {"first_error": True}},
    "ok/wrong/end": {"terminal": True, "reward": 0.0, "rollouts": 1, "successes": 0},
    "ok/u": {"rollouts": 2, "successes": 2, "meta": {"origin": "mend"}},
    "ok/v": {"rollouts": 1, "successes": 1, "meta": {"origin": "mend"}},
    "ok/w": {"rollouts": 3, "successes": 1},
    "ok/x": {"rollouts": 4, "successes": 0},
    "ok/y": {},
}


def test_four_right_continuations_with_three_first_steps_make_three_pairs() -> None:
    found = first_error_pairs(tree(STEPS))
    assert pairs(found) == [("ok/u", "ok/wrong"), ("ok/v", "ok/wrong"), ("ok/w", "ok/wrong")]
    assert set(found["prefix"]) == {"ok\n"}
    assert meta(found)[0]["step_index"] == 1
    assert (meta(found)[0]["n_rectify_ok"], meta(found)[0]["n_rectify_total"]) == (6, 24)


@pytest.mark.parametrize(
    ("params", "chosen"),
    [
        ({"min_rollouts": 2}, ["ok/u", "ok/w"]), ({"min_share": 0.5}, ["ok/u", "ok/v"]), ({"per_error": 1}, ["ok/u"]),
        ({"origins": ("mend",)}, ["ok/u", "ok/v"]), ({"max_share": -0.1}, []),
    ],
)  # fmt: skip
def test_what_a_mending_step_must_meet(params: dict[str, Any], chosen: list[str]) -> None:
    assert [one for one, _ in pairs(first_error_pairs(tree(STEPS), **params))] == chosen


def test_an_error_that_is_often_recovered_from_can_be_left_out() -> None:
    steps = {**STEPS, "ok/wrong": {"rollouts": 8, "successes": 3, "meta": {"first_error": True}}}
    assert first_error_pairs(tree(steps), max_share=0.25).is_empty()


def test_a_step_no_better_than_the_error_mends_nothing() -> None:
    steps = {**STEPS, "ok/wrong": {"rollouts": 2, "successes": 1, "meta": {"first_error": True}}}
    assert [one for one, _ in pairs(first_error_pairs(tree(steps)))] == ["ok/u", "ok/v"]


def test_a_beginning_that_rollouts_doubt_can_be_left_out() -> None:
    steps = {"": {"rollouts": 40, "successes": 36}, **{k: v for k, v in STEPS.items() if k}}
    assert not first_error_pairs(tree(steps)).is_empty()
    assert first_error_pairs(tree(steps), max_doubt=0.8).is_empty()


def test_without_a_first_error_there_is_no_pair() -> None:
    steps = {path: {k: v for k, v in said.items() if k != "meta"} for path, said in STEPS.items()}
    assert first_error_pairs(tree(steps)).is_empty()


def test_marks_alone_make_pairs_where_solutions_part() -> None:
    end = {"terminal": True, "reward": 0.0}
    steps = {
        "a": {}, "a/bad": {"meta": {"first_error": True}}, "a/bad/x": end,
        "a/good": {}, "a/good/late": {**end, "meta": {"first_error": True}},
        "a/fine": {**end, "meta": {"no_error": True}}, "a/unsaid": end,
    }  # fmt: skip
    found = first_error_pairs(tree(steps), marked=True)
    assert pairs(found) == [("a/fine", "a/bad"), ("a/good", "a/bad")]
    assert found["margin"].to_list() == [None, None]  # nothing was counted
    assert pairs(first_error_pairs(tree(steps))) == []
