"""Bounded process rewards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.shaped_rewards import shaped, shaped_rewards
from tests.support.brute import SMALL, Rows, ends, frame, path, share
from tests.support.nodes import meta, tree

PRM = [0.9, 0.95, 0.8, 0.9]


def near(numbers: list[float]) -> list[Any]:
    return [pytest.approx(number, abs=1e-9) for number in numbers]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("raw", PRM), ("clip", [0.0, 0.0, -0.05, 0.0]), ("delta", [-0.05, 0.15, -0.1, 0.9]),
        ("clip_delta", [0.0, 0.05, -0.05, 0.0]),
    ],
)  # fmt: skip
def test_worked_rewards(shape: str, expected: list[float]) -> None:
    assert shaped(PRM, shape, 0.85) == near(expected)
    steps: dict[str, dict[str, Any]] = {"a": {}, "a/b": {}, "a/b/c": {}, "a/b/c/R": {"terminal": True, "reward": 1.0}}
    for said, value in zip(steps.values(), PRM, strict=True):
        said["value"] = value
    found = shaped_rewards(tree(steps), by="value", shape=shape, eta=0.85)  # type: ignore[arg-type]
    assert found["labels"].to_list() == [near(expected)]
    assert found["values"].to_list() == [PRM]
    assert (meta(found)[0]["reward_kind"], meta(found)[0]["success"]) == (shape, 1)


def test_repeating_a_step_pays_in_raw_rewards_alone() -> None:
    longer = [0.9, 0.95, 0.95, 0.95, 0.95, 0.8, 0.9]
    sums = {shape: [sum(shaped(one, shape, 0.85)) for one in (PRM, longer)] for shape in ("raw", "delta", "clip")}
    assert sums == {"raw": near([3.55, 6.4]), "delta": near([0.9, 0.9]), "clip": near([-0.05, -0.05])}


scores = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(scores, st.floats(0, 1), st.integers(0, 7))
def test_bounds_hold_whatever_the_scores(told: list[float], eta: float, place: int) -> None:
    assert sum(shaped(told, "delta", eta)) == pytest.approx(told[0])
    assert sum(shaped(told, "clip", eta)) <= 0
    assert sum(shaped(told, "clip_delta", eta)) == pytest.approx(min(told[0] - eta, 0.0))
    at = 1 + place % len(told)
    again = [*told[:at], told[at - 1], *told[at:]]
    assert sum(shaped(again, "delta", eta)) == pytest.approx(sum(shaped(told, "delta", eta)))


@given(SMALL)
def test_rows_are_the_judged_paths_whose_every_step_has_a_share(rows: Rows) -> None:
    found = shaped_rewards(frame(rows), shape="raw")
    expected = {
        tuple(path(rows, name)): [share(rows, step) for step in path(rows, name)]
        for name in ends(rows) if None not in [share(rows, step) for step in path(rows, name)]
    }  # fmt: skip
    told = {tuple(row["node_ids"]): values for row, values in zip(meta(found), found["labels"].to_list(), strict=True)}
    assert told == expected


def test_a_path_with_a_step_nobody_evaluated_makes_no_row() -> None:
    rows = tree({"a": {}, "a/R": {"terminal": True, "reward": 1.0}, "W": {"terminal": True, "reward": 0.0}})
    assert shaped_rewards(rows)["completions"].to_list() == [["W\n"]]
    assert shaped_rewards(rows, by="self_evaluation").is_empty()
