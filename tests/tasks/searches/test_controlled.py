"""Wrong continuations of right solutions at rising temperature."""

from __future__ import annotations

import pytest

from schemas.exchange import Request
from tasks.searches.controlled import controlled
from tests.support.searches import grow, texts


def go_on(request: Request, index: int) -> str:
    """Right solutions of four steps; hotter than 1.05 the next step goes wrong, and the end with it."""
    told = request.prefix or ""
    at = told.count("\n")
    if not request.stop:
        return "".join(f"ok {i}\n" for i in range(at, 4)) + "Answer: R"
    if at < 4:
        return f"{'bad' if request.temperature > 1.05 else 'ok'} {at}\nmore"
    return f"Answer: {'W' if 'bad' in told else 'R'}"


def test_the_temperature_rises_with_every_step_from_each_start() -> None:
    rounds: list[list[Request]] = []
    grow(controlled, go_on, n=1, starts=1, rounds=rounds)
    heats = [round_[0].temperature for round_ in rounds[1:]]
    assert heats == [1.1, 1.2]


def test_wrong_continuations_begin_with_steps_of_the_right_solution() -> None:
    nodes = texts(grow(controlled, go_on, n=1, starts=3))
    wrong = [text for text, row in nodes.items() if row["terminal"] and row["reward"] == 0.0]
    assert wrong
    assert all(text.startswith("ok 0\n") for text in wrong)
    assert all(nodes[text]["meta"].get("origin") == "controlled" for text in wrong)


def test_a_start_that_went_wrong_is_not_tried_again() -> None:
    asked: list[list[Request]] = []
    grow(controlled, go_on, n=1, starts=1, rounds=asked)
    assert sum(len(requests) for requests in asked[1:]) == 2


def test_a_step_cut_by_its_limit_ends_the_try_without_a_verdict() -> None:
    from schemas.exchange import Choice

    def cut(request: Request, index: int) -> str | Choice:
        return Choice(index, "bad", outcome="truncated") if request.stop else go_on(request, index)

    grown = grow(controlled, cut, n=1)
    assert {row["reward"] for row in grown.nodes if row["terminal"]} == {1.0}


def test_steps_no_string_ends_cannot_be_heated_one_by_one() -> None:
    with pytest.raises(ValueError, match="stop string"):
        grow(controlled, go_on, delimiter="sentence")
