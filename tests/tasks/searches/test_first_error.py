"""Finding the first wrong step, and mending it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exchange import Request
from tasks.searches.first_error import first_error
from tests.support.searches import grow, texts


def erring(steps: int, wrong_at: int, recovers: float = 0.0):
    """Returns a policy: every fourth solution is right; a wrong one errs at one step, and seldom recovers after it."""

    def go_on(request: Request, index: int) -> str:
        told = request.prefix or ""
        at = told.count("\n")
        draw = Random(f"{told}|{index}")
        lost = "bad" in told
        if not told:
            lost = index % 4 != 0
            lines = [f"{'bad' if lost and i == wrong_at else 'ok'} {i}\n" for i in range(steps)]
            return "".join(lines) + ("W" if lost else "R")
        right = draw.random() < (recovers if lost else 0.8)
        return "".join(f"ok {i}\n" for i in range(at, steps)) + ("R" if right else "W")

    return go_on


@pytest.mark.parametrize("rule", ["sequential", "count", "any"])
@pytest.mark.parametrize("steps", [1, 2, 5, 9])
def test_the_first_wrong_step_is_found_at_every_place(steps: int, rule: str) -> None:
    for wrong_at in range(steps):
        nodes = texts(grow(first_error, erring(steps, wrong_at), n=4, rule=rule))
        found = [row["text"] for row in nodes.values() if row["meta"].get("first_error")]
        assert found == [f"bad {wrong_at}\n"]


@given(st.integers(0, 11), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_half_of_the_rollouts_of_every_step_are_enough(wrong_at: int, seed: int) -> None:
    grown = grow(first_error, erring(12, wrong_at, recovers=0.05), n=4, rollouts=32, seed=seed)
    assert grown.nodes[0]["meta"]["samples"] - 4 <= 0.5 * 12 * 32


def test_where_no_solution_is_right_nothing_is_hunted() -> None:
    rounds: list[list[Request]] = []
    grown = grow(first_error, lambda *_: "a\nb\nW", n=4, rounds=rounds)
    assert len(rounds) == 1
    assert not any(row["meta"].get("first_error") for row in grown.nodes)


def test_an_error_no_rollout_could_judge_is_not_claimed() -> None:
    def dumb(request: Request, index: int) -> str:
        return erring(4, 2)(request, index) if not request.prefix else "no end"

    grown = grow(first_error, dumb, n=4)
    assert not any(row["meta"].get("first_error") for row in grown.nodes if row["text"] != "bad 2\n")


def test_mending_continues_from_just_before_the_error() -> None:
    rounds: list[list[Request]] = []
    nodes = texts(grow(first_error, erring(3, 1), n=4, mend=20, rounds=rounds))
    (mend,) = rounds[-1]
    assert (mend.prefix, mend.n) == ("ok 0\n", 20)
    assert nodes["ok 0\nok 1\n"]["rollouts"] >= 20


def test_the_sequential_rule_takes_fewer_rollouts_than_a_fixed_number() -> None:
    few = grow(first_error, erring(8, 5), n=4, rule="sequential").nodes[0]["meta"]["samples"]
    many = grow(first_error, erring(8, 5), n=4, rule="count").nodes[0]["meta"]["samples"]
    assert few < many / 2
