"""Two answers in both orders: which are compared, and what the replies make together.

Source: MT-bench (arXiv:2306.05685, section 3.4: a win counts only if both orders agree).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import combinations
from itertools import pairwise as neighbours
from typing import Any, Literal, NamedTuple

import orjson

from schemas.exchange import Reply, Request
from schemas.messages import text_of
from tasks.judges._ask import Sheet
from tasks.judges._rows import Row, answered, judgeable
from tasks.judges._text import shown
from tasks.judges._weights import weights
from tasks.readers.styles import Style
from tasks.readers.verdicts import Reading, read_winner
from tasks.readers.words import winner_named

Pairs = Literal["all", "adjacent"]

LEAST = 0.5
"""Of verdicts that have less probability than this together, too little is known to say how likely one of them is."""

SCHEMA = {
    "type": "object",
    "properties": {"rationale": {"type": "string"}, "winner": {"type": "string", "enum": ["A", "B", "tie"]}},
    "required": ["rationale", "winner"],
    "additionalProperties": False,
}


class Order(NamedTuple):
    """Two completions in the order they are shown, their harmless texts, and what was flagged in them."""

    first: Row
    second: Row
    texts: tuple[str, str]
    flags: tuple[str, ...]


def both_orders(completions: Sequence[Row], pairs: Pairs = "all") -> list[Order]:
    """Returns two orders a pair of completions whose texts differ, one after the other."""
    held = judgeable(completions)
    seen = {row["completion_id"]: shown(text_of(row["messages"])) for row in held}
    orders = []
    for one, other in combinations(held, 2) if pairs == "all" else neighbours(held):
        both = seen[one["completion_id"]], seen[other["completion_id"]]
        if both[0].text == both[1].text:
            continue
        for (first, second), (left, right) in (((one, other), both), ((other, one), both[::-1])):
            signs = (*(f"A:{sign}" for sign in left.flags), *(f"B:{sign}" for sign in right.flags))
            orders.append(Order(first, second, (left.text, right.text), signs))
    return orders


def contents(
    orders: Sequence[Order], sheet: Sheet, more: Sequence[Mapping[str, str]] = (), word: str = ""
) -> list[str]:
    """Returns the prompts of the orders; both orders of a pair are fenced by the same word.

    Args:
        more: other texts of each order, by place. word: of all fences, where the caller has made it.
    """
    found, own = [], ""
    for i, order in enumerate(orders):
        texts = {"first": order.texts[0], "second": order.texts[1], **(more[i] if more else {})}
        if not word and not i % 2:
            own = sheet.word(*texts.values())
        found.append(sheet(texts, word or own))
    return found


def rows(
    orders: Sequence[Order], requests: Sequence[Request], replies: Sequence[Reply], criterion: str,
    material: Sequence[str] = (), meta: Mapping[str, Any] | None = None, *, style: Style = "any",
) -> list[Row]:  # fmt: skip
    """Returns one judgment an order, with what the two of a pair make together in ``comparison``.

    ``agreed``: both orders name the same winner. ``tied``: both say tie. ``contradicted``: both can be read and do not
    say the same. ``incomplete``: an order failed, was refused, cut or cannot be read. Where the endpoint gave token
    probabilities, ``probability`` is that of the first shown being better, a tie counting half.

    Args:
        material: what else stood in the prompts, beside the answers. meta: kept with every row.
    """
    found = [
        _row(order, reply, criterion, (*material, *order.texts), meta, style)
        for order, reply in zip(orders, replies, strict=True)
    ]
    for i in range(0, len(found), 2):
        asked = blake2b(requests[i].question(), digest_size=16, key=criterion.encode()[:64])
        asked.update("\0".join(found[i]["subjects"]).encode())
        both = {"comparison_id": asked.hexdigest(), "comparison": comparison(found[i], found[i + 1])}
        found[i] |= both
        found[i + 1] |= both
    return found


def _row(
    order: Order, reply: Reply, criterion: str, seen: Sequence[str], meta: Mapping[str, Any] | None,
    style: Style,
) -> Row:  # fmt: skip
    subjects = [order.first["completion_id"], order.second["completion_id"]]
    outcome, row = answered(reply)
    row |= {
        "kind": "pairwise", "subjects": subjects, "criterion": criterion, "flags": list(order.flags), "winner": None,
    }  # fmt: skip
    if outcome is None:
        reading = read_winner(reply.text, seen, style=style)
        outcome = {"A": "valid", "B": "valid", "tie": "tie"}.get(reading.value, "unparsable")
        row["rationale"] = reading.rationale
        row["winner"] = {"A": subjects[0], "B": subjects[1]}.get(reading.value)
        row["probability"] = _first_better(reply, reading)
    if meta and "meta" not in row:
        row["meta"] = orjson.dumps(meta).decode()
    row["outcome"] = outcome
    return row


def _first_better(reply: Reply, reading: Reading) -> float | None:
    said = weights(reply.choices[0], reading.claim, winner_named) if reply.choices[0].tokens else {}
    whole = sum(said.values())
    return (said.get("A", 0.0) + said.get("tie", 0.0) / 2) / whole if whole >= LEAST else None


def comparison(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Returns what two orders of one pair make together."""
    if not {one["outcome"], other["outcome"]} <= {"valid", "tie"}:
        return "incomplete"
    if one["winner"] != other["winner"]:
        return "contradicted"
    return "agreed" if one["winner"] else "tied"
