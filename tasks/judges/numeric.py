"""Says how close the final number of a completion is to the reference number.

Source: relaxed accuracy of ChartQA (arXiv:2203.10244, section 5.1: within 5 %); answer marks as in the math judge.

Use it for measured or estimated numbers, where near is right. It is bad at exact arithmetic, where near is wrong: see
``math``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._answers import final_answer, values
from tasks.judges._rows import Row, cut, judgeable, rule


def _checks(*, relative: float, absolute: float, **_: Any) -> None:
    if not 0 <= relative < math.inf or not 0 <= absolute < math.inf:
        raise ValueError(f"a tolerance below zero, or no number: relative={relative}, absolute={absolute}")


@judge(needs=("reference",), checks=_checks)
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
    completion with no final number, or one that cannot be read, is ``unparsable``; one cut by its length limit before
    or inside its number is ``truncated``.

    Args:
        prompt: its ``reference`` is a number, or a solution with a marked answer.
        relative, absolute: tolerances; at 0 and 0 the numbers must be equal.
        score: ``closeness`` scores 1 / (1 + relative difference) instead: 1 when equal, 1/2 when off by the
            reference's size (or by 1, where the reference is 0).

    Raises:
        ValueError: a negative tolerance, or a reference that holds no number.
    """
    _checks(relative=relative, absolute=absolute)
    marked = final_answer(str(prompt["reference"]))
    wanted = values(marked.text if marked else str(prompt["reference"]))
    if not wanted:
        raise ValueError(f"the reference holds no number: {str(prompt['reference'])[:80]!r}")
    rows = []
    for completion in judgeable(completions):
        answer = final_answer(text_of(completion["messages"]))
        found = values(answer.text) if answer else frozenset()
        if cut(completion) and (answer is None or answer.at_end):
            rows.append(rule(completion, criterion, "truncated"))
            continue
        if not found:
            rows.append(rule(completion, criterion, "unparsable", why="no final number"))
            continue
        off, size = min((abs(one - other), abs(other)) for one in found for other in wanted)
        near = off <= max(Fraction(absolute), Fraction(relative) * size)
        made = rule(completion, criterion, near, why=f"off by {float(off):.6g}")
        if score == "closeness":
            made["score"] = float(1 / (1 + off / (size or 1)))
        rows.append(made)
    return rows
