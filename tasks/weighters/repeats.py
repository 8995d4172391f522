"""Repeats: how often a prompt's pairs are to be seen, by how hard the prompt is.

Source: OREAL (arXiv:2502.06781, training code: pass rates below 0.2, 0.6 and 0.8 are repeated six, four and two times;
easier prompts are dropped).

Use it where a pass rate says how much there is to learn. It is bad at small numbers of samples, whose rates are coarse.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter


@weighter
def repeats(
    preferences: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    below: tuple[float, ...] = (0.2, 0.6, 0.8),
    times: tuple[int, ...] = (6, 4, 2),
    otherwise: int = 0,
    right: float = 0.5,
    criterion: str | None = None,
) -> pl.DataFrame:
    """Returns the preferences with ``weight`` = how often their prompt is to be seen; null where it has no scores.

    Args:
        scores: of all the prompt's completions, not only those in pairs.
        below: bounds of the pass rate, rising; a rate on a bound belongs to the next. times: one a bound.
        otherwise: for rates above all bounds.
        right: a completion passes whose score is above this.
        criterion: which scores count, where there are several.

    Raises:
        ValueError: bounds and times do not go together, or it is unclear which scores count.
    """
    if len(below) != len(times) or list(below) != sorted(below):
        raise ValueError(f"below is {below}, times {times}; rising bounds and a number for each are needed")
    rates = pass_rates(scores, right, criterion)
    found = pl.lit(float(otherwise))
    for bound, count in zip(reversed(below), reversed(times), strict=True):
        found = pl.when(pl.col("rate") < bound).then(pl.lit(float(count))).otherwise(found)
    known = rates.select("prompt_id", weight=found)
    return preferences.drop("weight", strict=False).join(known, on="prompt_id", how="left", maintain_order="left")


def pass_rates(scores: pl.DataFrame, right: float, criterion: str | None) -> pl.DataFrame:
    """Returns prompt_id and the share of its completions that score above ``right``.

    Raises:
        ValueError: the scores hold several criteria or scorers.
    """
    own = scores if criterion is None else scores.filter(pl.col("criterion") == criterion)
    kinds = own.select("criterion", "scorer").unique().sort("criterion", "scorer")
    if kinds.height > 1:
        found = ", ".join(f"{name} ({by})" for name, by in kinds.iter_rows())
        raise ValueError(f"there are scores of several kinds: {found}; set criterion to one")
    return own.group_by("prompt_id").agg(rate=(pl.col("score") > right).mean()).sort("prompt_id")
