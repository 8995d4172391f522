"""Median: the middle rating, which one judge gone wild cannot move.

Source: Hampel et al. 1986, Robust Statistics (the median withstands a minority of outliers); Rousseeuw and Croux 1993
(1.4826 times the median absolute deviation estimates a standard deviation).

Use it where ratings have outliers. It is bad at coarse scales, where most completions share a median.
"""

from __future__ import annotations

import math

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import JUDGE, UNIT, finish, per, ratings

_ROOT = math.sqrt(math.pi / 2)


@scorer
def median(judgments: pl.DataFrame, *, groups: dict[str, list[str]] | None = None) -> pl.DataFrame:
    """Returns the median over judges of each judge's median rating of a completion.

    The standard error is that of a median of normal ratings, sqrt(pi / 2) * s / sqrt(n), with s from the median
    absolute deviation; null for one judge.

    Args:
        judgments: pointwise; higher scores are better. Pairwise and listwise rows are not used.
        groups: group -> its judges; each group is scored apart, as ``median:GROUP``.
    """
    cell = [*UNIT, "completion_id"]
    voices = per(ratings(judgments, groups), *cell, *JUDGE).agg(pl.col("score").median(), votes=pl.len())
    deviation = (pl.col("score") - pl.col("score").median()).abs().median()
    scores = per(voices, *cell).agg(
        score=pl.col("score").median(),
        judgments=pl.col("votes").sum(),
        standard_error=pl.when(pl.len() > 1).then(_ROOT * 1.4826 * deviation / pl.len().sqrt()),
    )
    return finish(scores, "median")
