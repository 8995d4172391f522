"""Ratings of several answers in one reply: rows, abstentions and means.

Source: UltraFeedback (arXiv:2310.01377, section 2.3), without its repair that multiplies an overall score by ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.exchange import Reply
from tasks.judges._rankings import Line
from tasks.judges._rows import Row, answered
from tasks.readers.scores import read_object, read_scores
from tasks.readers.words import number_named

LOWEST, HIGHEST = 1, 5
NOT_APPLICABLE = "N/A"


def means(rated: Sequence[list[Row]], orders: int, criterion: str) -> list[Row]:
    """Returns the mean over aspects of each completion in each order.

    Args:
        rated: the rows of each request, by aspect and then by order.
    """
    found = []
    for order in range(orders):
        for group in zip(*rated[order::orders], strict=True):
            scores = [row["score"] for row in group if row["outcome"] == "valid"]
            fine = scores and {row["outcome"] for row in group} <= {"valid", "refused"}
            fine = fine and all("not_applicable" in (row["meta"] or "") for row in group if row["score"] is None)
            found.append(
                {
                    "kind": "pointwise", "subjects": group[0]["subjects"], "criterion": criterion,
                    "outcome": "valid" if fine else "unparsable", "flags": group[0]["flags"],
                    "score": sum(scores) / len(scores) if fine else None,
                    "meta": orjson.dumps({"ratings": {row["criterion"]: row["score"] for row in group}}).decode(),
                }
            )  # fmt: skip
    return found


def rows(line: Line, reply: Reply, criterion: str, material: Sequence[str], same: Mapping[str, list[str]]) -> list[Row]:
    """Returns one judgment a completion that the reply rates.

    Args:
        same: text -> ids of all completions that have it.
    """
    outcome, spent = answered(reply)
    ratings: dict[str, Any] = {}
    rationale = None
    if outcome is None:
        seen_texts = (*material, *line.texts)
        reading = read_object(reply.text, "ratings", seen_texts)
        rationale = reading.rationale
        plain = read_scores(reply.text, line.labels, LOWEST, HIGHEST, seen_texts) if reading.value is None else None
        ratings = reading.value or dict(zip(line.labels, plain or (), strict=False))
    found: list[Row] = []
    for label, completion, seen in zip(line.labels, line.rows, line.seen, strict=True):
        verdict, score, meta = _rating(outcome, ratings.get(label))
        for completion_id in same.get(seen.text) or [completion["completion_id"]]:
            row: Row = {
                "kind": "pointwise", "subjects": [completion_id], "criterion": criterion, "outcome": verdict,
                "score": score, "flags": list(seen.flags), "rationale": rationale, "raw": spent.get("raw"),
                "meta": meta or spent.get("meta"),
            }  # fmt: skip
            found.append(spent | row if not found else row)
    return found


def _rating(outcome: str | None, said: object) -> tuple[str, float | None, str | None]:
    """Returns the outcome, score and meta of one answer's rating."""
    if outcome is not None:
        return outcome, None, None
    if isinstance(said, str) and said.strip().upper() in (NOT_APPLICABLE, "NA"):
        return "refused", None, orjson.dumps({"not_applicable": True}).decode()
    score = number_named(said, LOWEST, HIGHEST)
    return ("unparsable", None, None) if score is None or score != int(score) else ("valid", score, None)
