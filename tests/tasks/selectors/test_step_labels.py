"""Stepwise labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.step_labels import step_labels
from tests.support.nodes import meta, toy, tree


def labelled(rows: Any, **params: Any) -> dict[str, list[float]]:
    found = step_labels(rows, **params)
    return {
        "".join(texts).replace("\n", ""): labels for texts, labels in found.select("completions", "labels").iter_rows()
    }


def chain(
    successes: list[int], trials: int = 8, reward: float = 1.0, root: tuple[int, int] = (4, 8), **more: Any
) -> Any:
    """Returns a tree of one path; the last count is the end's and stands for its reward."""
    steps: dict[str, dict[str, Any]] = {"": {"rollouts": root[1], "successes": root[0]}}
    path = ""
    for place, count in enumerate(successes):
        path = f"{path}/s{place}" if path else f"s{place}"
        steps[path] = {"rollouts": trials, "successes": count}
    steps[path] |= {"terminal": True, "reward": reward, **more}
    return tree(steps)


def test_hard_labels_on_the_toy_tree() -> None:
    assert labelled(toy()) == {"AA1": [1.0, 1.0], "AA2": [1.0, 0.0], "BB1": [1.0, 0.0]}


def test_math_shepherd_hard_and_soft_estimates() -> None:
    rows = chain([1, 0, 8], reward=1.0)
    assert labelled(rows) == {"s0s1s2": [1.0, 0.0, 1.0]}
    assert labelled(rows, kind="soft") == {"s0s1s2": [0.125, 0.0, 1.0]}


def test_advantages_are_differences_that_add_up() -> None:
    rows = chain([5, 2, 0], reward=0.0)
    found = step_labels(rows, kind="soft").row(0, named=True)
    assert found["values"] == [0.625, 0.25, 0.0]
    assert found["advantages"] == [0.125, -0.375, -0.25]
    assert [a / 0.1 for a in found["advantages"]] == [pytest.approx(v) for v in (1.25, -3.75, -2.5)]


@given(st.lists(st.integers(0, 8), min_size=1, max_size=6), st.integers(1, 7))
def test_advantages_telescope_and_stay_within_one(counts: list[int], root: int) -> None:
    end = float(counts[-1] >= 4)
    found = step_labels(chain(counts, reward=end, root=(root, 8)), kind="soft").row(0, named=True)
    assert sum(found["advantages"]) == pytest.approx(end - root / 8)
    assert all(abs(advantage) <= 1 for advantage in found["advantages"])


def test_a_first_error_labels_everything_before_and_after_it() -> None:
    rows = tree(
        {
            "a": {}, "a/b": {"rollouts": 4, "successes": 0, "meta": {"first_error": True}}, "a/b/c": {},
            "a/b/c/W": {"terminal": True, "reward": 0.0},
        }
    )  # fmt: skip
    assert labelled(rows) == {"abcW": [1.0, 0.0, 0.0, 0.0]}
    assert labelled(rows, cut=True) == {"ab": [1.0, 0.0]}


def test_a_step_without_evidence_ends_the_row() -> None:
    rows = tree({"a": {"rollouts": 2, "successes": 1}, "a/b": {}, "a/b/R": {"terminal": True, "reward": 1.0}})
    assert labelled(rows) == {"a": [1.0]}
    assert meta(step_labels(rows))[0]["complete"] is False
    assert labelled(rows, min_rollouts=3) == {}


def test_paths_that_end_nowhere_are_rows_where_asked_for() -> None:
    rows = tree({"a": {"rollouts": 2, "successes": 1}, "a/b": {"rollouts": 2, "successes": 0}})
    assert labelled(rows) == {}
    assert labelled(rows, inner=True) == {"ab": [1.0, 0.0]}


def test_paths_whose_values_are_all_alike_can_be_left_out() -> None:
    assert labelled(chain([8, 8], reward=1.0), mixed=True) == {}
    assert labelled(chain([8, 4, 8], reward=1.0), mixed=True, least=5) == {"s0s1s2": [1.0, 0.0, 1.0]}


def test_values_of_the_search_and_the_policys_own_evaluation() -> None:
    assert labelled(toy(), kind="value")["AA2"] == [0.6, -1.0]
    rows = tree({"a": {"self_evaluation": 0.3}, "a/R": {"terminal": True, "self_evaluation": 0.9, "reward": 1.0}})
    assert labelled(rows, kind="self_evaluation") == {"aR": [0.3, 0.9]}


def test_rows_join_to_the_text_and_name_their_nodes() -> None:
    found = step_labels(toy())
    assert found["completions"].to_list() == [["A\n", "A1\n"], ["A\n", "A2\n"], ["B\n", "B1\n"]]
    assert meta(found)[0]["node_ids"] == ["A", "A/A1"]
    assert step_labels(toy(), per_tree=1).height == 1


def test_a_row_cut_at_its_first_wrong_step_is_ones_and_then_a_nought() -> None:
    for counts in ([8, 0, 8, 0], [0, 8], [8, 8, 0]):
        for labels in labelled(chain(counts, reward=0.0), cut=True).values():
            assert labels == sorted(labels, reverse=True)
            assert labels.count(0.0) <= 1


def test_an_end_marked_free_of_errors_labels_every_step_right_and_unmarked_paths_can_be_left_out() -> None:
    steps = {
        "a": {}, "a/b": {"terminal": True, "reward": 0.0, "meta": {"no_error": True}},
        "a/c": {"meta": {"first_error": True}}, "a/c/d": {"terminal": True, "reward": 1.0},
        "e": {"rollouts": 1, "successes": 1}, "e/f": {"terminal": True, "reward": 1.0},
    }  # fmt: skip
    found = step_labels(tree(steps), marked=True)
    assert dict(zip(map(tuple, found["completions"]), map(list, found["labels"]), strict=True)) == {
        ("a\n", "b\n"): [1.0, 1.0], ("a\n", "c\n", "d\n"): [1.0, 0.0, 0.0],
    }  # fmt: skip
    assert step_labels(tree(steps)).height == 3
