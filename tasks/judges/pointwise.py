"""Asks a model to grade an answer on a scale, by a rubric.

Source: single-answer grading of MT-bench (arXiv:2306.05685, section 3.1); G-Eval (arXiv:2303.16634, section 2: score
weighted by token probabilities).

Use it for many answers a prompt, one call each, and wherever a scale means something. It is bad at telling good answers
apart: scores crowd at the top, unless ``logprobs`` spreads them.
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
from tasks.readers.styles import Style

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
    logprobs: bool = False,
    most_outside: float = 0.5,
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    style: Style = "any",
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the score on the scale as it was given, higher is better.

    A reply that names no number, two different ones, or one outside the scale is ``unparsable`` and has no score.

    Args:
        model: SPEC of the judge.
        lowest, highest: ends of the scale, both allowed.
        logprobs: the score is the mean over the scale's numbers, weighted by the probabilities of the score's token;
            ``probability`` is their sum, and ``meta`` has what lies ``outside`` the scale and the ``distribution``.
            Where the endpoint gives none, or spells the number with several tokens, the number itself is the score
            and ``meta.weighted`` is false.
        most_outside: with ``logprobs``, a score with more probability than this outside the scale is unparsable.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).
        style: the one form of score that is read, for a judge trained to end in it; ``any`` reads all.

    Raises:
        ValueError: the scale has no room.
    """
    _grades.check_scale(lowest, highest)
    page = sheet(__file__, prompt, {"rubric": rubric, "lowest": str(lowest), "highest": str(highest)})
    held = judgeable(completions)
    if not held:
        return []
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens,
        _grades.schema(lowest, highest) if structured else None, ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    replies = yield [ask(page({"answer": harmless(text_of(row["messages"]))})) for row in held]
    outside = most_outside if logprobs else None
    return [
        _grades.row(row, reply, (lowest, highest), criterion, (page.task, rubric), most_outside=outside, style=style)
        for row, reply in zip(held, replies, strict=True)
    ]
