"""Judgment rows: which completions are judged, and how a rule's verdict or a model's reply becomes a row.

Source: the judgments table; outcomes follow the rule that a failure is never a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.exchange import Reply
from schemas.messages import from_rows, text_of

Row = dict[str, Any]

NOT_JUDGED = ("empty", "refused", "filtered", "error", "unclear")
"""Finish reasons of completions that hold no answer: they stay in their table and no judgment is made of them."""

_OUTCOMES = {"truncated": "truncated", "refused": "refused", "filtered": "refused", "empty": "unparsable"}


def judgeable(completions: Sequence[Row]) -> list[Row]:
    """Returns the completions that hold an answer, by sample index and id, so that input order does not matter."""
    held = [row for row in completions if row.get("finish_reason") not in NOT_JUDGED]
    return sorted(held, key=lambda row: (row.get("sample_index") or 0, row["completion_id"]))


def cut(completion: Row) -> bool:
    """Says whether the completion was cut by its length limit."""
    return bool(completion.get("finish_reason") == "length")


def rule(
    completion: Row, criterion: str, verdict: bool | str, *, why: str | None = None, flags: Sequence[str] = ()
) -> Row:
    """Returns a rule's judgment row.

    Args:
        verdict: right (score 1), wrong (score 0), or the outcome that stands in the way of a verdict.
    """
    decided = isinstance(verdict, bool)
    return {
        "kind": "pointwise",
        "subjects": [completion["completion_id"]],
        "criterion": criterion,
        "outcome": "valid" if decided else verdict,
        "score": float(verdict) if decided else None,
        "rationale": why,
        "flags": list(flags),
    }


def answered(reply: Reply) -> tuple[str | None, Row]:
    """Returns the outcome that forbids reading the reply (null when it may be read), and what it was and cost."""
    row: Row = {"prompt_tokens": reply.prompt_tokens, "latency_s": reply.latency_s, "cost": reply.cost}
    if not reply.choices:
        return "error", row | {"meta": orjson.dumps({"error": reply.error}).decode()}
    choice = reply.choices[0]
    row |= {"raw": choice.text, "completion_tokens": choice.completion_tokens}
    if choice.outcome == "ok":
        return None, row
    if choice.outcome == "unclear":
        row["meta"] = orjson.dumps({"error": choice.finish_reason}).decode()
    return _OUTCOMES.get(choice.outcome, "error"), row


def with_cost_of(row: Row, *replies: Reply) -> Row:
    """Returns the row with the tokens, the time and the cost of these replies added to its own."""
    added = dict(row)
    for reply in replies:
        made = sum(choice.completion_tokens for choice in reply.choices)
        for name, more in (
            ("prompt_tokens", reply.prompt_tokens), ("completion_tokens", made), ("latency_s", reply.latency_s),
            ("cost", reply.cost),
        ):  # fmt: skip
            added[name] = (added.get(name) or 0) + more
    return added


def conversation(messages: Sequence[Mapping[str, Any]]) -> str:
    """Returns messages as text for a judge: the text alone of one user turn, else each turn under its role."""
    if len(messages) == 1 and messages[0]["role"] == "user":
        return text_of(messages)
    turns = []
    for message in from_rows(messages):
        content = message["content"]
        calls = message.get("tool_calls")
        said = content if isinstance(content, str) else orjson.dumps(content).decode() if content else ""
        turns.append(f"[{message['role']}]\n{said}{orjson.dumps(calls).decode() if calls else ''}")
    return "\n\n".join(turns)
