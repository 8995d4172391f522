"""Recorded solutions with a marked first wrong step become trees."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Choice, Grown, Reply
from schemas.ids import canonical
from tasks.searches.recorded_steps import recorded_steps
from tasks.texts.pieces import joined
from tests.support.searches import PROMPT, texts, verdicts

NO_COLUMN = object()


def recorded(*solutions: tuple[list[str] | str, Any], label: bool | None = None, **params: Any) -> Grown:
    """Returns the tree of solutions, each with its mark."""
    exchange = recorded_steps(PROMPT, verdicts(), policy="replay:f", **params)
    (request,) = next(exchange)
    assert (request.n, request.extra) == (0, {"prompt_id": "p"})  # all there are of this prompt
    with pytest.raises(StopIteration) as end:
        exchange.send([Reply(tuple(_choice(i, *each, label) for i, each in enumerate(solutions)))])
    grown: Grown = end.value.value
    return grown


def _choice(index: int, steps: list[str] | str, mark: Any, label: bool | None) -> Choice:
    text, cuts = joined(steps) if isinstance(steps, list) else (steps, None)
    meta = ({} if cuts is None else {"cuts": cuts}) | ({} if mark is NO_COLUMN else {"first_error": mark})
    value = {"policy": "writer", "meta": canonical(meta).decode()} | ({} if label is None else {"label": label})
    return Choice(index, text, outcome="ok" if text else "empty", value=value)


def errors(grown: Grown) -> dict[str, bool]:
    """Returns what is marked in the tree: the text up to there, and whether it is a first error."""
    marks = {text: row["meta"] for text, row in texts(grown).items()}
    return {text: "first_error" in mark for text, mark in marks.items() if {"first_error", "no_error"} & set(mark)}


def marked(grown: Grown) -> list[tuple[str, Any]]:
    return [(row["meta"]["marked"], row["meta"]["first_error"]) for row in grown.completions]


def test_the_marked_step_carries_the_error_and_the_end_of_a_right_solution_that_there_is_none() -> None:
    grown = recorded((["a", "b", "c"], 2), (["a", "d"], "none"), label=True)
    assert errors(grown) == {"a\nb\n": True, "a\nd": False}
    assert marked(grown) == [("error", 2), ("none", "none")]
    nodes = texts(grown)
    assert (nodes["a\n"]["rollouts"], nodes["a\n"]["successes"], nodes["a\nd"]["reward"]) == (2, 2, 1.0)
    assert [row["policy"] for row in grown.completions] == ["writer", "writer"]
    assert [row["label"] for row in grown.completions] == [True, True]


@pytest.mark.parametrize(
    ("mark", "params", "how"),
    [
        pytest.param("Step 2", {}, ("error", 2), id="with the word"),
        pytest.param(1, {"counted_from": 0}, ("error", 2), id="counted from nought"),
        pytest.param(1.0, {"counted_from": 0}, ("error", 2), id="a column with gaps"),
        pytest.param(-1, {"counted_from": 0}, ("none", "none"), id="ProcessBench's none"),
        pytest.param("N/A", {}, ("none", "none"), id="none in a word"),
        pytest.param(None, {}, ("unlabelled", None), id="nobody said"),
        pytest.param(None, {"unmarked": "right"}, ("none", "none"), id="a null that says none"),
        pytest.param(NO_COLUMN, {"unmarked": "right"}, ("unlabelled", None), id="no such column"),
        pytest.param(0, {}, ("unreadable", None), id="before the first"),
        pytest.param(3, {}, ("unreadable", None), id="after the last"),
        pytest.param(2, {"counted_from": 0}, ("unreadable", None), id="after the last, from nought"),
        pytest.param("2 or 3", {}, ("unreadable", None), id="two"),
        pytest.param(1.5, {}, ("unreadable", None), id="between two"),
    ],
)
def test_a_mark_is_read_or_its_solution_has_none(mark: Any, params: dict[str, Any], how: tuple[str, Any]) -> None:
    grown = recorded((["a", "b"], mark), **params)
    assert marked(grown) == [how]
    assert len(errors(grown)) == (how[0] in ("error", "none"))


def test_solutions_that_say_different_things_of_one_step_lose_their_marks() -> None:
    grown = recorded((["a", "b", "c"], 2), (["a", "b", "d"], 3), (["a", "e"], 2))
    assert [how for how, _ in marked(grown)] == ["contradicted", "contradicted", "error"]
    assert errors(grown) == {"a\ne": True}


def test_listed_steps_keep_their_numbers_and_a_text_is_cut() -> None:
    assert errors(recorded((["a", "", "b\nb", "c"], 3))) == {"a\n\nb\nb\n": True}
    assert errors(recorded(("Step 1: a\nb\nStep 2: c", 2), delimiter="step")) == {"Step 1: a\nb\nStep 2: c": True}


def test_an_empty_answer_is_kept_and_grows_nothing() -> None:
    grown = recorded(("", 1), label=False)
    assert len(grown.nodes) == 1
    assert marked(grown) == [("empty", None)]
    assert grown.completions[0]["finish_reason"] == "empty"


@given(st.lists(st.tuples(st.lists(st.sampled_from("ab"), min_size=1, max_size=3), st.integers(-1, 3)), max_size=5))
def test_every_solution_is_kept_once_with_one_mark_and_marks_never_contradict(solutions: list[Any]) -> None:
    grown = recorded(*((list(steps), mark) for steps, mark in solutions), counted_from=0)
    assert len(grown.completions) == len(solutions)
    found = errors(grown)
    for (steps, _), (how, step) in zip(solutions, marked(grown), strict=True):
        prefixes = ["\n".join(steps[:k]) + ("\n" if k < len(steps) else "") for k in range(1, len(steps) + 1)]
        if how == "error":
            assert found[prefixes[step - 1]] is True
            assert not any(found.get(prefix) for prefix in prefixes[: step - 1])
        if how == "none":
            assert not any(found.get(prefix) for prefix in prefixes)
