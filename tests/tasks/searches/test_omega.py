"""A tree of process labels by repeated halving."""

from __future__ import annotations

from schemas.exchange import Request
from tasks.searches.omega import omega
from tests.support.searches import grow, texts


def go_on(request: Request, index: int) -> str:
    """Solutions of four steps; every other one errs at its third step and is lost then."""
    told = request.prefix or ""
    lines = [f"{f'bad {index % 8}' if i == 2 and index % 2 else 'ok'} {i}\n" for i in range(told.count("\n"), 4)]
    return "".join(lines) + ("W" if "bad" in told + "".join(lines) else "R")


def test_wrong_rollouts_are_halved_and_every_probe_keeps_its_counts() -> None:
    nodes = texts(grow(omega, go_on, searches=3, rollouts=8))
    errors = [text for text, row in nodes.items() if row["meta"].get("first_error")]
    assert len(errors) == 3
    for text in errors:
        assert text.startswith("ok 0\nok 1\nbad")
        assert (nodes[text]["rollouts"] >= 8, nodes[text]["value"]) == (True, 0.0)


def test_a_problem_always_solved_is_left_alone() -> None:
    rounds: list[list[Request]] = []
    grow(omega, lambda *_: "a\nR", rounds=rounds)
    assert len(rounds) == 1


def test_a_problem_never_solved_is_left_alone() -> None:
    rounds: list[list[Request]] = []
    grow(omega, lambda *_: "a\nW", rounds=rounds)
    assert len(rounds) == 1


def test_it_stops_after_so_many_halvings() -> None:
    for count in (1, 3):
        grown = grow(omega, go_on, searches=count, window=1)
        assert sum(row["visits"] for row in grown.nodes) == count
