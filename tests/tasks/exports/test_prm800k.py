"""PRM800K's labelled solutions."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings

from tasks.exports.prm800k import good, prm800k, rating, to_stepwise
from tests.support.nodes import toy
from tests.support.steprows import ANY, rows


def labels(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [orjson.loads(text) for text in frame["label"]]


def test_siblings_become_candidates_and_the_path_ends_at_its_first_error() -> None:
    found = prm800k(rows(toy(), kind="hard"))
    by_end = {orjson.loads(row["question"])["pre_generated_steps"][-1]: row for row in found.iter_rows(named=True)}
    right, wrong = (orjson.loads(by_end[end]["label"]) for end in ("A1\n", "A2\n"))
    assert right["finish_reason"] == "solution"
    assert right["steps"][0]["completions"] == [
        {"text": "A\n", "rating": 1, "flagged": False}, {"text": "B\n", "rating": 1, "flagged": False},
    ]  # fmt: skip
    assert [step["chosen_completion"] for step in right["steps"]] == [0, 0]
    assert wrong["finish_reason"] == "found_error"
    assert [step["chosen_completion"] for step in wrong["steps"]] == [0, None]
    assert {one["text"]: one["rating"] for one in wrong["steps"][1]["completions"]} == {"A1\n": 1, "A2\n": -1}
    assert orjson.loads(by_end["A1\n"]["question"])["problem"] == "2 + 2?"


def test_every_line_has_the_released_columns() -> None:
    row = prm800k(rows(toy())).row(0, named=True)
    assert list(row) == [
        "labeler", "timestamp", "generation", "is_quality_control_question", "is_initial_screening_question",
        "question", "label",
    ]  # fmt: skip
    assert (row["labeler"], row["timestamp"], row["is_quality_control_question"]) == ("pairwright", None, False)


@pytest.mark.parametrize(("label", "expected"), [(0.9, 1), (0.8, 1), (0.5, 0), (0.2, 0), (0.1, -1)])
def test_ratings_between_the_bounds_are_neutral(label: float, expected: int) -> None:
    assert rating(label, good=0.8, bad=0.2) == expected


def test_bounds_that_cross_are_refused() -> None:
    with pytest.raises(ValueError, match=r"bad is 0\.6"):
        prm800k(rows(toy()), good=0.5, bad=0.6)


def test_neutral_steps_count_as_whoever_reads_says() -> None:
    step = {"completions": [{"text": t, "rating": r} for t, r in (("a", 1), ("b", 0), ("c", -1))],
            "human_completion": None, "chosen_completion": None}  # fmt: skip
    told = {"steps": [step]}
    assert [rated for _, (rated,) in to_stepwise(told)] == [True, False, False]
    assert [rated for _, (rated,) in to_stepwise(told, neutral=True)] == [True, True, False]
    assert (good(None, True), good(1, False)) == (False, True)


def test_the_path_goes_on_with_the_chosen_or_the_humans_step() -> None:
    told = {
        "steps": [
            {"completions": [{"text": "a", "rating": 1}, {"text": "b", "rating": -1}], "chosen_completion": 0},
            {"completions": None, "human_completion": {"text": "h", "rating": 1}, "chosen_completion": None},
        ]
    }
    assert to_stepwise(told) == [(["b"], [False]), (["a", "h"], [True, True])]


@settings(deadline=None)
@given(ANY)
def test_as_many_stepwise_rows_as_candidates_not_chosen_and_one_more_for_a_whole_path(table: pl.DataFrame) -> None:
    for label in labels(prm800k(table)):
        aside = sum(len(step["completions"]) - (step["chosen_completion"] is not None) for step in label["steps"])
        assert len(to_stepwise(label)) == aside + (label["finish_reason"] == "solution")
        for steps, told in to_stepwise(label):
            assert len(steps) == len(told)
            assert all(told[:-1])
