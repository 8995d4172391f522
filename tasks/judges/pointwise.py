"""Asks a model to grade an answer on a scale, by a rubric.

Source: single-answer grading of MT-bench (arXiv:2306.05685, section 3.1); UltraFeedback (arXiv:2310.01377, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply, Request
from schemas.ids import seed_for
from schemas.messages import text_of
from tasks.judges._rows import Row, answered, conversation, judgeable
from tasks.judges._text import code, fill, flags, harmless, template
from tasks.judges._verdict import read_score

RUBRIC = "How much does the answer help the person who set the task: is it correct, complete, clear and to the point?"


@judge(asks=True)
def pointwise(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    lowest: int = 1,
    highest: int = 10,
    criterion: str = "overall",
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the score on the scale as it was given, higher is better.

    A reply that names no number, two different ones, or one outside the scale is ``unparsable`` and has no score.

    Args:
        model: SPEC of the judge.
        lowest, highest: ends of the scale, both allowed.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).

    Raises:
        ValueError: the scale has no room.
    """
    if lowest >= highest:
        raise ValueError(f"lowest is {lowest} and highest {highest}; the scale needs lowest < highest")
    shown = judgeable(completions)
    text, version = template(__file__)
    task = harmless(conversation(prompt["messages"]))
    scale = {"rubric": rubric, "task": task, "lowest": str(lowest), "highest": str(highest)}
    answers = [harmless(text_of(row["messages"])) for row in shown]
    asked = [fill(text, scale | {"answer": answer, "code": code(task, answer)}) for answer in answers]
    requests = [
        Request(
            model=model,
            messages=[{"role": "user", "content": content}],
            temperature=temperature,
            max_tokens=max_tokens,
            seed=seed_for(seed, prompt["prompt_id"]),
            schema=_schema(lowest, highest) if structured else None,
            template=version,
        )
        for content in asked
    ]
    if not requests:
        return []
    replies = yield requests
    return [_row(row, reply, lowest, highest, criterion) for row, reply in zip(shown, replies, strict=True)]


def _row(completion: Row, reply: Reply, lowest: int, highest: int, criterion: str) -> Row:
    outcome, row = answered(reply)
    row |= {"kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": criterion, "score": None}
    row["flags"] = flags(text_of(completion["messages"]))
    if outcome is None:
        row["score"], row["rationale"] = read_score(reply.text, lowest, highest)
        outcome = "unparsable" if row["score"] is None else "valid"
    return row | {"outcome": outcome}


def _schema(lowest: int, highest: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "rationale": {"type": "string"},
            "score": {"type": "number", "minimum": lowest, "maximum": highest},
        },
        "required": ["rationale", "score"],
        "additionalProperties": False,
    }
