"""Monte-Carlo labels of steps."""

from __future__ import annotations

import pytest

from schemas.exchange import Choice, Request
from tasks.searches.step_rollouts import step_rollouts
from tests.support.searches import grow, texts


def go_on(request: Request, index: int) -> str | Choice | None:
    """Two solutions that part at their second step; after the good one every other rollout is right."""
    told = {
        "": ["a\ngood\nR", "a\nbad\nW"], "a\n": ["good\nR", "bad\nW"], "a\ngood\n": ["R", "W"], "a\nbad\n": ["W", "W"],
    }  # fmt: skip
    return told[request.prefix or ""][index % 2]


def test_every_step_that_is_no_end_is_rolled_out_once() -> None:
    rounds: list[list[Request]] = []
    nodes = texts(grow(step_rollouts, go_on, n=2, rollouts=8, rounds=rounds))
    assert [(request.prefix, request.n) for request in rounds[1]] == [("a\n", 8), ("a\nbad\n", 8), ("a\ngood\n", 8)]
    counts = {text: (row["successes"], row["rollouts"]) for text, row in nodes.items() if not row["terminal"]}
    assert counts == {"": (1, 2), "a\n": (4, 8), "a\ngood\n": (4, 8), "a\nbad\n": (0, 8)}


def test_an_end_is_worth_its_own_verdict_and_a_step_the_share_of_right_ends() -> None:
    nodes = texts(grow(step_rollouts, go_on, n=2, rollouts=4))
    values = {text: row["value"] for text, row in nodes.items()}
    assert values == {"": 0.5, "a\n": 0.5, "a\ngood\n": 0.5, "a\nbad\n": 0.0, "a\ngood\nR": 1.0, "a\nbad\nW": 0.0}
    assert nodes["a\ngood\nR"]["advantage"] == 0.5
    assert nodes["a\nbad\n"]["advantage"] == -0.5


def test_cut_failed_and_unreadable_rollouts_are_counted_apart() -> None:
    def broken(request: Request, index: int) -> str | Choice | None:
        if not request.prefix:
            return "a\nR"
        return [Choice(index, "x", outcome="truncated"), Choice(index, "", outcome="refused"), "??", "R"][index % 4]

    step = texts(grow(step_rollouts, broken, n=1, rollouts=8))["a\n"]
    assert (step["successes"], step["rollouts"], step["meta"]["failed"]) == (2, 2, 6)


def test_a_cut_solution_keeps_its_whole_steps_and_has_no_end() -> None:
    def cut(request: Request, index: int) -> str | Choice:
        return "R" if request.prefix else Choice(index, "a\nb", outcome="truncated")

    nodes = texts(grow(step_rollouts, cut, n=1, rollouts=2))
    assert list(nodes) == ["", "a\n"]
    assert not nodes["a\n"]["terminal"]


def test_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        grow(step_rollouts, go_on, n=0)
