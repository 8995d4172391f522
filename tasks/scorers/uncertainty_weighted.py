"""Uncertainty-weighted: the mean reward of an ensemble less a price for its disagreement.

Source: Coste et al. 2023, arXiv:2310.02743, section 3.2, equation 3 (UWO); coefficient 0.5 and population variance as
in the authors' best-of-n code (their PPO code uses 0.1 with the sample variance).

Use it for ensembles that disagree where they are fooled. It is bad at judges on unlike scales, whose spread is no
disagreement.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import JUDGE, UNIT, finish, per, ratings


@scorer
def uncertainty_weighted(
    judgments: pl.DataFrame,
    *,
    coefficient: float = 0.5,
    variance: Literal["population", "sample"] = "population",
    groups: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    """Returns mean - coefficient * variance over judges of each judge's mean rating of a completion.

    With one judge there is no disagreement to see: the population variance is 0, the sample variance unknown, and then
    there is no score. The standard error is that of the mean.

    Args:
        judgments: pointwise; higher scores are better.
        coefficient: price of a unit of variance; 0 gives the mean.
        groups: group -> its judges; each group is scored apart, as ``uncertainty_weighted:GROUP``.
    """
    cell = [*UNIT, "completion_id"]
    voices = per(ratings(judgments, groups), *cell, *JUDGE).agg(pl.col("score").mean(), votes=pl.len())
    spread = pl.col("score").var(ddof=0 if variance == "population" else 1)
    scores = per(voices, *cell).agg(
        score=pl.col("score").mean() - coefficient * spread,
        judgments=pl.col("votes").sum(),
        standard_error=pl.col("score").std() / pl.len().sqrt(),
    )
    return finish(scores, "uncertainty_weighted")
