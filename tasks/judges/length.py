"""Says whether a completion is as long as it should be.

Source: length constraints of IFEval (arXiv:2311.07911) and of LIFT's length-instructed data (arXiv:2406.17744).

Use it for prompts that ask for a length, or to keep runaway texts out of the pairs. It is bad as a sign of quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges import _units
from tasks.judges._rows import Row, cut, judgeable, rule


def _checks(*, at_least: int = 0, at_most: int | None = None, **_: Any) -> None:
    if (not at_least and at_most is None) or at_least < 0 or (at_most is not None and at_most < at_least):
        raise ValueError(f"no length lies within at_least={at_least} and at_most={at_most}, or every one does")


@judge(checks=_checks)
def length(
    prompt: Row,
    completions: Sequence[Row],
    *,
    at_least: int = 0,
    at_most: int | None = None,
    unit: Literal["words", "characters", "sentences", "lines", "paragraphs", "tokens"] = "words",
    score: Literal["within", "closeness"] = "within",
    criterion: str = "length",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its length is within the bounds (both included), else 0.

    A completion cut by its length limit that is too short is ``truncated``. With ``tokens`` a completion whose token
    count is not known is ``unparsable``.

    Args:
        unit: ``sentences`` counts as in English; ``lines`` and ``paragraphs`` leave out blank ones.
        score: ``closeness`` scores the ratio to the nearer bound instead: 1 inside, 1/2 at half or double of it.

    Raises:
        ValueError: there is no bound, or the bounds leave no length.
    """
    _checks(at_least=at_least, at_most=at_most)
    rows = []
    for completion in judgeable(completions):
        text = text_of(completion["messages"])
        found = completion.get("completion_tokens") if unit == "tokens" else _units.count(text, unit)
        if found is None:
            rows.append(rule(completion, criterion, "unparsable", why="the number of tokens is not known"))
            continue
        inside = found >= at_least and (at_most is None or found <= at_most)
        short = cut(completion) and found < at_least
        made = rule(completion, criterion, "truncated" if short else inside, why=f"{found} {unit}")
        if score == "closeness" and not short:
            made["score"] = _closeness(found, at_least, at_most)
        rows.append(made)
    return rows


def _closeness(found: int, at_least: int, at_most: int | None) -> float:
    if found < at_least:
        return found / at_least
    return at_most / found if at_most is not None and found > at_most else 1.0
