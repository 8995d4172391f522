"""Judges of one's own that raise, each in another way; named in recipes as ``tests.support.raising:NAME``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.errors import MissingExtraError
from schemas.exchange import Exchange, Request
from schemas.messages import text_of

Row = dict[str, Any]


def verdict(completion: dict[str, Any], score: Any = 1.0) -> dict[str, Any]:
    return {
        "kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": "own", "outcome": "valid",
        "score": score,
    }  # fmt: skip


class Odd(Exception):
    """Cannot be made again from its pickle: it wants two arguments and keeps one."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(left + right)


@judge
def on_bad(prompt: dict[str, Any], completions: Sequence[dict[str, Any]], *, criterion: str = "own") -> list[Any]:
    """Raises where a completion says so."""
    for row in completions:
        if "bad" in text_of(row["messages"]):
            raise Odd("a bad ", "text")
    return [verdict(row) for row in completions]


@judge
def always(prompt: dict[str, Any], completions: Sequence[dict[str, Any]]) -> list[Any]:
    """Raises, every time."""
    raise KeyError("nowhere")


@judge
def no_number(prompt: dict[str, Any], completions: Sequence[dict[str, Any]], *, score: str = "nan") -> list[Any]:
    """Returns rows whose scores are no numbers."""
    values = {"nan": float("nan"), "huge": 10**400, "text": "high", "none": None}
    return [verdict(row, values[score]) for row in completions]


@judge
def no_rows(prompt: dict[str, Any], completions: Sequence[dict[str, Any]]) -> Any:
    """Returns something else than rows."""
    return {"score": 1.0}


@judge
def lacks_library(prompt: dict[str, Any], completions: Sequence[dict[str, Any]]) -> list[Any]:
    """Finds when it runs that a library is missing."""
    raise MissingExtraError("somelib", "some")


@judge
def dies(prompt: dict[str, Any], completions: Sequence[dict[str, Any]]) -> list[Any]:
    """Ends its process."""
    os._exit(9)


@judge(asks=True)
def after_the_reply(
    prompt: dict[str, Any], completions: Sequence[dict[str, Any]], *, model: str = "script"
) -> Exchange:
    """Asks, and raises on the answer."""
    yield [Request(model=model, messages=[{"role": "user", "content": prompt["prompt_id"]}])]
    raise ZeroDivisionError("division by zero")


@judge(asks=True)
def asks_nonsense(prompt: dict[str, Any], completions: Sequence[dict[str, Any]], *, model: str = "script") -> Exchange:
    """Yields no list of requests."""
    yield "what?"  # type: ignore[misc]
    return []


@judge(asks=True)
def asks_unwritable(
    prompt: dict[str, Any], completions: Sequence[dict[str, Any]], *, model: str = "script"
) -> Exchange:
    """Asks with a text that no JSON can hold."""
    yield [Request(model=model, messages=[{"role": "user", "content": "\ud800"}])]
    return []
