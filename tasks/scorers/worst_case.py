"""Worst case: the lowest reward any member of an ensemble gives.

Source: Coste et al. 2023, arXiv:2310.02743, section 3.2, equation 2 (worst-case optimisation, WCO).

Use it for best-of-n or training against reward models that can be fooled one at a time. It is bad at judges on unlike
scales, and at large ensembles, where one broken member rules.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import JUDGE, UNIT, finish, per, ratings


@scorer
def worst_case(
    judgments: pl.DataFrame, *, least_judges: int = 1, groups: dict[str, list[str]] | None = None
) -> pl.DataFrame:
    """Returns the minimum over judges of each judge's mean rating of a completion.

    Args:
        judgments: pointwise; higher scores are better.
        least_judges: a completion that fewer judges rated gets no score, since a missing judge might be the worst.
        groups: group -> its judges; each group is scored apart, as ``worst_case:GROUP``.
    """
    cell = [*UNIT, "completion_id"]
    voices = per(ratings(judgments, groups), *cell, *JUDGE).agg(pl.col("score").mean(), votes=pl.len())
    scores = per(voices, *cell).agg(
        score=pl.col("score").min(), judgments=pl.col("votes").sum(), judges=pl.len()
    )  # fmt: skip
    return finish(scores.filter(pl.col("judges") >= least_judges), "worst_case")
