"""Takes an answer out of the ledger, and keeps why: it is asked again by the next run that wants it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from schemas.errors import UsageError
from storage.ledger_rows import Call, Drop


class Rewritable(Protocol):
    """Where rows can be read, changed and taken out."""

    def rows(self) -> Iterator[tuple[int, Call]]:
        """Yields the number of every row and its call, oldest first."""

    def rewrite(self, changes: Sequence[tuple[int, Call | None]], note: Drop) -> None:
        """Puts calls in the place of rows, or takes rows out, and notes why, in one durable commit."""


class Dropped(NamedTuple):
    """What was taken out: of which question, by which model, how many answers, and what they had cost."""

    key: str
    model: str
    answers: int
    cost: float


def drop(
    calls: Rewritable, *, because: str, key: str | None = None, row: int | None = None, sample: int | None = None
) -> Dropped:  # fmt: skip
    """Takes answers out, and notes it; returns what they were.

    Args:
        because: why; it is kept. key: of the question, in hex, or its beginning.
        row: its number, as ``verify`` says it. sample: only this one; all by default.

    Raises:
        UsageError: no such answer, or a beginning that several questions share.
        StoreError: the ledger cannot be written; nothing was taken out.
    """
    if not because.strip():
        raise UsageError("say why the answer goes: --because TEXT; it is kept with what is known of the answer")
    if (key is None) == (row is None) or key == "":
        raise UsageError("name one answer: by the KEY of its question, or by --row NUMBER")
    wanted = None if key is None else key.lower()
    found = [
        (number, call) for number, call in calls.rows()
        if (number == row if wanted is None else call.key.hex().startswith(wanted))
    ]  # fmt: skip
    name = f"row {row}" if wanted is None else f"a question whose key begins with {wanted!r}"
    if not found:
        raise UsageError(f"the ledger holds no {name.removeprefix('a ')}; `pairwright ledger export` lists all keys")
    if len({call.key for _, call in found}) > 1:
        raise UsageError(f"{len({call.key for _, call in found}):,} questions have a key that begins with {wanted!r}")
    changes, answers, cost = [], 0, 0.0
    for number, call in found:
        left, gone, price = _without(call, sample)
        if gone:
            changes.append((number, left))
            answers, cost = answers + gone, cost + price
    if not changes:
        raise UsageError(f"{name} has no sample {sample}; it has {', '.join(_samples(call for _, call in found))}")
    first = found[0][1]
    calls.rewrite(changes, Drop(time.time_ns() // 1000, first.key, sample, first.model, answers, cost, because.strip()))
    return Dropped(first.key.hex(), first.model, answers, cost)


def _without(call: Call, sample: int | None) -> tuple[Call | None, int, float]:
    """Returns the call without a sample (null: nothing is left), how many answers go, and their share of its cost."""
    choices = _choices(call)
    if sample is None or choices is None:
        return None, len(choices) if choices else 1, call.cost
    kept = [choice for choice in choices if choice.get("index") != sample]
    gone = len(choices) - len(kept)
    price = call.cost * gone / max(len(choices), 1)
    if not kept:
        return None, gone, price
    changed = call._replace(
        choices=orjson.dumps(kept), cost=call.cost - price,
        outcomes=" ".join(str(choice.get("outcome", "ok")) for choice in kept),
        completion_tokens=sum(_number(choice.get("completion_tokens")) for choice in kept), raw=None,
    )  # fmt: skip
    return changed, gone, price


def _choices(call: Call) -> list[dict[str, Any]] | None:
    """Returns the answers of a call as they stand there; null where they cannot be read."""
    try:
        found = orjson.loads(call.choices)
    except orjson.JSONDecodeError:
        return None
    readable = isinstance(found, list) and all(isinstance(choice, dict) for choice in found)
    return found if readable else None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _samples(calls: Iterator[Call]) -> list[str]:
    return [str(choice.get("index")) for call in calls for choice in _choices(call) or []]
