"""Step values from the distance to a right end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tasks.selectors.inferred_values import inferred_values
from tests.support.brute import SMALL, Rows, ends, frame, needed, path
from tests.support.nodes import meta, tree

RIGHT: dict[str, Any] = {"terminal": True, "reward": 1.0}
WRONG: dict[str, Any] = {"terminal": True, "reward": 0.0}


def values(rows: Any, **params: Any) -> dict[str, list[float]]:
    found = inferred_values(rows, **params)
    return {"".join(texts).replace("\n", ""): told for texts, told in found.select("completions", "values").iter_rows()}


def test_a_right_path_of_three_steps_rises_to_one_and_a_wrong_turn_after_the_first_falls_as_fast() -> None:
    rows = tree({"a": {}, "a/b": {}, "a/b/R": RIGHT, "a/W": WRONG})
    found = values(rows)
    assert found["abR"] == [pytest.approx(v, abs=1e-6) for v in (1 / 3, 2 / 3, 1.0)]
    assert found["aW"] == [pytest.approx(v, abs=1e-6) for v in (1 / 3, 0.111111)]
    assert {tuple(row["needed"]) for row in meta(inferred_values(rows))} == {(3, 2, 1), (3, None)}


def test_the_nearest_right_end_counts() -> None:
    rows = tree({"a": {}, "a/R": RIGHT, "a/b": {}, "a/b/c": {}, "a/b/c/R": RIGHT})
    assert values(rows)["aR"] == [pytest.approx(1 / 2), 1.0]
    assert values(rows)["abcR"] == [pytest.approx(v) for v in (1 / 2, 2 / 3, 5 / 6, 1.0)]


def test_a_value_never_falls_below_nought() -> None:
    rows = tree({"R": RIGHT, "w": {}, "w/x": {}, "w/x/W": WRONG})
    assert values(rows)["wxW"] == [0.0, 0.0, 0.0]


def test_simple_values_are_depth_over_length_and_stand_still_off_the_right_path() -> None:
    rows = tree({"a": {}, "a/b": {}, "a/b/c": {}, "a/b/c/R": RIGHT, "a/x": {}, "a/x/y": {}, "a/x/y/W": WRONG})
    found = values(rows, form="simple")
    assert found["abcR"] == [0.25, 0.5, 0.75, 1.0]
    assert found["axyW"] == [0.25, 0.25, 0.5, 0.75]


def test_a_tree_without_a_right_end_makes_no_row_unless_asked_for() -> None:
    rows = tree({"a": {}, "a/W": WRONG})
    assert inferred_values(rows).is_empty()
    assert values(rows, solved=False) == {"aW": [0.0, 0.0]}


def test_an_end_nobody_could_judge_is_no_row_and_no_evidence() -> None:
    rows = tree({"a": {}, "a/R": RIGHT, "a/?": {"terminal": True, "reward": None}})
    assert values(rows) == {"aR": [0.5, 1.0]}


def _brute(rows: Rows, name: str) -> float:
    """Returns the value of a step as the paper's recursion has it: (1 - v) / steps needed, up or down."""
    if rows[name]["parent_id"] is None:
        return 0.0
    before = _brute(rows, rows[name]["parent_id"])
    steps, holder = needed(rows, name), rows[name]["parent_id"]
    sign = 1 if steps is not None else -1
    while steps is None:
        steps = needed(rows, holder)
        if rows[holder]["parent_id"] is None:
            steps = max((steps or 2) - 1, 1)
        holder = rows[holder]["parent_id"]
    return max(before + sign * (1 - before) / steps, 0.0)


@given(SMALL)
def test_values_are_those_of_the_recursion_on_any_tree(rows: Rows) -> None:
    found = inferred_values(frame(rows), solved=False)
    told = {row["node_ids"][-1]: values for row, values in zip(meta(found), found["values"].to_list(), strict=True)}
    judged = {name for name in ends(rows)}
    assert set(told) <= judged
    for name, steps in told.items():
        assert steps == [pytest.approx(_brute(rows, step)) for step in path(rows, name)]
        assert all(0.0 <= value <= 1.0 for value in steps)
        right = rows[name]["reward"] >= 0.5
        assert (steps[-1] == pytest.approx(1.0)) == right
        if right:
            assert all(a < b for a, b in zip([0.0, *steps], steps, strict=False))
    texts = {"".join(rows[step]["text"] for step in path(rows, name)) for name in judged}
    assert found.height == len(texts)
