"""Says how close the final number of a completion is to the reference number.

Source: relaxed accuracy of ChartQA (arXiv:2203.10244, section 5.1: within 5 %); answer marks as in the math judge.

Use it for measured or estimated numbers, where near is right. It is bad at exact arithmetic, where near is wrong: see
``math``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, cut, judgeable, rule
from tasks.readers.answers import read_answer, reference_answer
from tasks.readers.values import canonical


@judge(needs=("reference",))
def numeric(
    prompt: Row,
    completions: Sequence[Row],
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
    score: Literal["within", "closeness"] = "within",
    criterion: str = "correct",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its final number is near enough to the reference, else 0.

    Near enough is a difference of at most ``absolute``, or of at most ``relative`` times the reference's size. A
    completion with no marked number, or one that cannot be read, is ``unparsable`` with the reason as a flag, and so
    is every one where the reference is no number; one cut by its length limit before or inside its number is
    ``truncated``.

    Args:
        prompt: its ``reference`` is a number, or a solution with a marked answer.
        relative, absolute: tolerances; at 0 and 0 the numbers must be equal.
        score: ``closeness`` scores 1 / (1 + relative difference) instead: 1 when equal, 1/2 when off by the
            reference's size (or by 1, where the reference is 0).

    Raises:
        ValueError: a negative tolerance.
    """
    if relative < 0 or absolute < 0:
        raise ValueError(f"a tolerance below zero: relative={relative}, absolute={absolute}")
    wanted = _number(reference_answer(str(prompt["reference"])))
    rows = []
    for completion in judgeable(completions):
        answer, reason = read_answer(text_of(completion["messages"]))
        number = _number(answer.text, answer.language) if answer and not answer.listed else None
        if cut(completion) and (answer is None or answer.at_end):
            rows.append(rule(completion, criterion, "truncated"))
        elif wanted is None or number is None:
            flag = "reference_unread" if wanted is None else reason or "answer_unread"
            rows.append(rule(completion, criterion, "unparsable", why="no final number", flags=[flag]))
        else:
            off, size = abs(number - wanted), abs(wanted)
            near = off <= max(Fraction(absolute), Fraction(relative) * size)
            made = rule(completion, criterion, near, why=f"off by {float(off):.6g}")
            if score == "closeness":
                made["score"] = float(1 / (1 + off / (size or 1)))
            rows.append(made)
    return rows


def _number(text: str, language: str | None = None) -> Fraction | None:
    """Returns the number an answer is, or null."""
    key = canonical(text, language=language)
    try:
        return None if key is None else Fraction(key)
    except (ValueError, ZeroDivisionError):
        return None
