"""Says whether a completion repeats itself.

Source: seq-rep-n, the share of n-grams that are not new (Welleck et al., arXiv:1908.04319, section 3).

Use it against loops and padding. It is bad at texts that repeat by right: tables, code, poems, lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import orjson

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges import _units
from tasks.judges._rows import Row, judgeable, rule


def _checks(*, n: int, at_most: float, **_: Any) -> None:
    if n < 1 or not 0 <= at_most <= 1:
        raise ValueError(f"n={n} must be at least 1, at_most={at_most} between 0 and 1")


@judge(checks=_checks)
def repetition(
    prompt: Row,
    completions: Sequence[Row],
    *,
    n: int = 4,
    at_most: float = 0.2,
    score: Literal["within", "distinct"] = "within",
    criterion: str = "repetition",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where the share of repeated n-grams is at most the bound, else 0.

    A completion that ran into its length limit counts like any other: endless repetition ends that way.

    Args:
        n: words in an n-gram; case does not count. A text of fewer words repeats nothing.
        at_most: the share that is allowed, from 0 to 1.
        score: ``distinct`` scores 1 minus the share instead.

    Raises:
        ValueError: ``n`` below 1, or a share outside 0 to 1.
    """
    _checks(n=n, at_most=at_most)
    rows = []
    for completion in judgeable(completions):
        share = repeated(text_of(completion["messages"]), n)
        made = rule(completion, criterion, share <= at_most, why=f"{share:.1%} of the {n}-grams are repeated")
        if score == "distinct":
            made["score"] = 1.0 - share
        made["meta"] = orjson.dumps({"repeated": share}).decode()
        rows.append(made)
    return rows


def repeated(text: str, n: int) -> float:
    """Returns the share of n-grams that occurred before.

    >>> repeated("to be or not to be", 2)
    0.19999999999999996
    """
    words = _units.words(text.lower())
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return 1.0 - len(set(grams)) / len(grams) if grams else 0.0
