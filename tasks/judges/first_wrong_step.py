"""Asks a model which step of a solution is the first wrong one.

Source: ProcessBench (arXiv:2412.06559, section 3: a critic names the earliest wrong step, or that there is none);
MR-GSM8K (arXiv:2312.17080); BIG-Bench Mistake (arXiv:2311.08516).

Use it to label steps, or to check solutions whose end alone says little, with one call each. It is bad at subtle errors
and at long solutions: audit it on labelled first errors before it labels anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.messages import text_of
from tasks.judges._ask import Ask, seed_of, sheet
from tasks.judges._rows import Row, answered, judgeable
from tasks.judges._text import flags, harmless
from tasks.readers.first_wrong import read_first_wrong
from tasks.texts.pieces import Kind, Pieces, parts


@judge(asks=True)
def first_wrong_step(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    delimiter: Kind = "newline",
    mark: str = "",
    criterion: str = "steps",
    temperature: float = 0.0,
    max_tokens: int = 1024,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the share of its steps before the first wrong one, 1 where none is wrong.

    ``meta`` has ``first_error``, the step's number from 1 or ``none``, and ``steps``, how many there are. A reply that
    names two steps, one there is not, or nothing, is ``unparsable`` and has no score.

    Args:
        model: SPEC of the judge.
        delimiter, mark: where steps begin, as in a search; recorded solutions that came as lists keep their steps.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).
    """
    held = judgeable(completions)
    if not held:
        return []
    pieces = Pieces(delimiter, mark)
    steps = [steps_of(row, pieces) for row in held]
    page = sheet(__file__, prompt)
    requests = []
    for found in steps:
        ask = Ask(
            model, page.version, seed_of(seed, prompt), temperature, max_tokens,
            _schema(len(found)) if structured else None,
        )  # fmt: skip
        word = page.word(*found)
        listed = "\n".join(f"=== step {i} {word} ===\n{step.rstrip()}" for i, step in enumerate(found, start=1))
        requests.append(ask(page({"steps": listed, "count": str(len(found))}, word)))
    replies = yield requests
    return [
        _row(row, reply, len(found), criterion, (page.task, "\n".join(found)))
        for row, reply, found in zip(held, replies, steps, strict=True)
    ]


def steps_of(completion: Row, pieces: Pieces) -> list[str]:
    """Returns a completion's steps as a judge is shown them: those it came in, or those its text is cut into."""
    text = text_of(completion["messages"])
    cuts = orjson.loads(completion.get("meta") or "{}").get("cuts")
    return [harmless(step) for step in (pieces.cut(text) if cuts is None else parts(text, cuts))]


def _schema(steps: int) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1, "maximum": steps}
    return {
        "type": "object",
        "properties": {"rationale": {"type": "string"}, "first_error": {"anyOf": [number, {"const": "none"}]}},
        "required": ["rationale", "first_error"],
        "additionalProperties": False,
    }


def _row(completion: Row, reply: Reply, steps: int, criterion: str, shown: Sequence[str]) -> Row:
    outcome, row = answered(reply)
    row |= {"kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": criterion, "score": None}
    row["flags"] = flags(text_of(completion["messages"]))
    if outcome is None:
        reading = read_first_wrong(reply.text, steps, shown)
        row["rationale"] = reading.rationale
        outcome = "unparsable" if reading.value is None else "valid"
        if reading.value is not None:
            row["score"] = 1.0 if reading.value == "none" else (reading.value - 1) / steps
            row["meta"] = orjson.dumps({"first_error": reading.value, "steps": steps}).decode()
    row["outcome"] = outcome
    return row
