"""Asks a model, in both orders, which of two answers is better.

Source: MT-bench (arXiv:2306.05685, section 3.4: a win counts only if both orders agree); OAIF (arXiv:2402.04792).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from itertools import pairwise as neighbours
from typing import Any, Literal

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply, Request
from schemas.ids import content_id, seed_for
from schemas.messages import text_of
from tasks.judges._rows import Row, answered, conversation, judgeable
from tasks.judges._text import code, fill, flags, harmless, template
from tasks.judges._verdict import read_winner

RUBRIC = "Which answer helps the person who set the task more: is it correct, complete, clear and to the point?"
SCHEMA = {
    "type": "object",
    "properties": {"rationale": {"type": "string"}, "winner": {"type": "string", "enum": ["A", "B", "tie"]}},
    "required": ["rationale", "winner"],
    "additionalProperties": False,
}


@judge(asks=True)
def pairwise(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    pairs: Literal["all", "adjacent"] = "all",
    criterion: str = "overall",
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns two judgments a pair of completions, one an order, and what the two make together in ``comparison``.

    ``agreed``: both orders name the same winner. ``tied``: both say tie. ``contradicted``: both can be read and do not
    say the same. ``incomplete``: an order failed, was refused, cut or cannot be read. Completions with the same text
    are not compared. All pairs and both orders are asked at once.

    Args:
        model: SPEC of the judge.
        pairs: all pairs of the prompt's completions, or each with the next by sample index.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).
    """
    shown = judgeable(completions)
    duels = list(combinations(shown, 2) if pairs == "all" else neighbours(shown))
    duels = [(one, other) for one, other in duels if text_of(one["messages"]) != text_of(other["messages"])]
    orders = [order for one, other in duels for order in ((one, other), (other, one))]
    text, version = template(__file__)
    task = harmless(conversation(prompt["messages"]))
    requests = [
        Request(
            model=model,
            messages=[{"role": "user", "content": _asked(text, rubric, task, first, second)}],
            temperature=temperature,
            max_tokens=max_tokens,
            seed=seed_for(seed, prompt["prompt_id"]),
            schema=SCHEMA if structured else None,
            template=version,
        )
        for first, second in orders
    ]
    if not requests:
        return []
    replies = yield requests
    rows = [_row(order, reply, criterion) for order, reply in zip(orders, replies, strict=True)]
    for i in range(0, len(rows), 2):
        comparison_id = content_id("comparison", criterion, requests[i].question().decode(), rows[i]["subjects"])
        both = {"comparison_id": comparison_id, "comparison": _comparison(rows[i], rows[i + 1])}
        rows[i] |= both
        rows[i + 1] |= both
    return rows


def _asked(text: str, rubric: str, task: str, first: Row, second: Row) -> str:
    shown = [harmless(text_of(row["messages"])) for row in (first, second)]
    places = {"rubric": rubric, "task": task, "first": shown[0], "second": shown[1], "code": code(task, *shown)}
    return fill(text, places)


def _row(order: tuple[Row, Row], reply: Reply, criterion: str) -> Row:
    subjects = [row["completion_id"] for row in order]
    raised = [
        f"{name}:{sign}" for name, row in zip("AB", order, strict=True) for sign in flags(text_of(row["messages"]))
    ]
    outcome, row = answered(reply)
    row |= {"kind": "pairwise", "subjects": subjects, "criterion": criterion, "flags": raised, "winner": None}
    if outcome is None:
        winner, row["rationale"] = read_winner(reply.text)
        outcome = {"A": "valid", "B": "valid", "tie": "tie"}.get(winner, "unparsable")
        row["winner"] = {"A": subjects[0], "B": subjects[1]}.get(winner)
    return row | {"outcome": outcome}


def _comparison(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if not {one["outcome"], other["outcome"]} <= {"valid", "tie"}:
        return "incomplete"
    if one["winner"] != other["winner"]:
        return "contradicted"
    return "agreed" if one["winner"] else "tied"
