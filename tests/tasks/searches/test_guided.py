"""Tree search by a value model or a critic."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.exchange import Choice, Reply, Request
from tasks.searches.guided import guided
from tests.support.searches import PROMPT, grow, reply, texts, verdicts


def go_on(request: Request, index: int) -> str | Choice:
    if request.kind == "score":
        written = request.messages[-1]["content"]
        return Choice(index, "", value=0.9 if written.startswith("way 0") else 0.1)
    depth = (request.prefix or "").count("\n")
    return f"way {index % 2}\nmore" if depth < 2 else "Answer: R"


def test_the_search_goes_where_the_model_points() -> None:
    found = texts(grow(guided, go_on, model="value", delimiter="newline", children=2, simulations=6, c=0.5))
    assert found["way 0\n"]["self_evaluation"] == 0.9
    assert found["way 0\n"]["visits"] > found["way 1\n"]["visits"]


def test_values_are_brought_to_the_scale_of_the_tree() -> None:
    found = texts(grow(guided, go_on, model="value", delimiter="newline", children=2, simulations=1))
    assert found["way 1\n"]["value"] == pytest.approx(-0.8)


def test_a_value_model_is_asked_with_the_text_so_far() -> None:
    rounds: list[list[Request]] = []
    grow(guided, go_on, model="value", delimiter="newline", children=2, simulations=1, rounds=rounds)
    assert [(r.kind, r.model, r.messages[-1]["content"]) for r in rounds[1]] == [
        ("score", "value", "way 0\n"), ("score", "value", "way 1\n"),
    ]  # fmt: skip


def test_a_value_that_did_not_come_is_no_value() -> None:
    def dumb(request: Request, index: int) -> str | Choice | None:
        return None if request.kind == "score" else go_on(request, index)

    found = texts(grow(guided, dumb, model="value", delimiter="newline", children=2, simulations=1))
    assert {row["value"] for row in found.values() if not row["terminal"]} == {None}
    assert found["way 0\n"]["visits"] == 0


def test_a_critic_takes_the_place_of_the_value_model() -> None:
    def judge(text: str) -> float | None:
        return 1.0 if text.endswith("R") else 0.75 if text.startswith("way 0") else None

    found = texts(
        grow(guided, go_on, judge=judge, model="m", critic="pointwise", delimiter="newline", children=2, simulations=2)
    )
    assert found["way 0\n"]["self_evaluation"] == 0.75
    assert found["way 1\n"]["self_evaluation"] is None


def test_a_look_ahead_takes_part_in_the_value() -> None:
    params: dict[str, Any] = {"model": "value", "delimiter": "newline", "children": 2, "simulations": 1, "scale": "01"}

    def right(request: Request, index: int) -> str | Choice:
        if request.kind == "score" or request.stop:
            return go_on(request, index)
        return "Answer: R" if (request.prefix or "").startswith("way 1") else "Answer: W"

    found = texts(grow(guided, right, rollouts=2, lookahead=0.5, **params))
    assert found["way 0\n"]["value"] == pytest.approx(0.5 * 0.9)
    assert found["way 1\n"]["value"] == pytest.approx(0.5 * 0.1 + 0.5)


def test_replies_of_the_wrong_kind_are_not_read_as_numbers() -> None:
    exchange = guided(PROMPT, verdicts(), policy="p", model="v", delimiter="newline", children=1, simulations=1)
    requests = next(exchange)
    requests = exchange.send([reply(request, go_on) for request in requests])
    with pytest.raises(StopIteration) as end:
        exchange.send([Reply(choices=(Choice(0, "nine", value="nine"),)) for _ in requests])
    assert {row["value"] for row in end.value.value.nodes} == {None}
