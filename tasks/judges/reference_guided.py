"""Asks a model to grade an answer with a reference answer beside it.

Source: reference-guided grading of MT-bench (arXiv:2306.05685, section 3.4); Prometheus (arXiv:2310.08491).

Use it for mathematics, code and facts, where models grade badly unaided. It is bad where good answers differ from each
other: an answer is marked down for being unlike the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.judges import _grades
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._rows import Row, judgeable
from tasks.judges._text import harmless

RUBRIC = "Does the answer say what the reference says where it matters: the same result, the same facts, nothing false?"


@judge(asks=True, needs=("reference",))
def reference_guided(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    lowest: int = 1,
    highest: int = 10,
    criterion: str = "correctness",
    logprobs: bool = False,
    most_outside: float = 0.5,
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the score on the scale as it was given, higher is better.

    Args:
        prompt: with its ``reference``.
        model: SPEC of the judge.
        lowest, highest: ends of the scale, both allowed.
        logprobs, most_outside: as in ``pointwise``.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).

    Raises:
        ValueError: the scale has no room.
    """
    _grades.check_scale(lowest, highest)
    page = sheet(__file__, prompt, {"rubric": rubric, "lowest": str(lowest), "highest": str(highest)})
    held = judgeable(completions)
    if not held:
        return []
    reference = harmless(str(prompt["reference"]))
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens,
        _grades.schema(lowest, highest) if structured else None, ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    replies = yield [ask(page({"answer": harmless(text_of(row["messages"])), "reference": reference})) for row in held]
    material, outside = (page.task, rubric, reference), most_outside if logprobs else None
    return [
        _grades.row(row, reply, (lowest, highest), criterion, material, most_outside=outside)
        for row, reply in zip(held, replies, strict=True)
    ]
