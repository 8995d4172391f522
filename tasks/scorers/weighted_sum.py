"""Weighted sum: one score of several criteria.

Source: HelpSteer2 (arXiv:2406.08673, section 4: goodness as a weighted sum of attributes); UltraFeedback
(arXiv:2310.01377, section 3: mean of the aspects there are); Reasoning-SQL (arXiv:2503.23157, section 3.2: sum of
partial rewards).

Use it where the weights are known. It is bad at criteria of which one must hold: see the selector ``constrained``.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import per, ratings
from tasks.scorers._quantile import finished


@scorer
def weighted_sum(
    judgments: pl.DataFrame,
    *,
    weights: dict[str, float],
    missing: Literal["drop", "skip"] = "drop",
    mean: bool = False,
    criterion: str = "overall",
) -> pl.DataFrame:
    """Returns for each completion the sum over criteria of weight times mean rating.

    The criteria's own means are returned beside it, each under its name, so that selectors can read both.

    Args:
        judgments: pointwise; a failed one enters no mean.
        weights: criterion -> weight; a negative one charges for it.
        missing: ``drop`` gives no sum to a completion that lacks a rating by one of them; ``skip`` sums what there is.
        mean: divide by the sum of the weights that were summed (in absolute value).
        criterion: the name of the sum.

    Raises:
        ValueError: no weight is given, or the sum would have the name of one of its parts.
    """
    if not weights or criterion in weights:
        raise ValueError(
            f"weights are {weights} and the sum is called {criterion!r}; one weight, another name is needed"
        )
    cell = ("prompt_id", "completion_id", "criterion")
    rated = ratings(judgments).filter(pl.col("criterion").is_in(list(weights))).select(*cell, "score")
    parts = per(rated, *cell).agg(
        judgments=pl.len(), standard_error=pl.col("score").std(ddof=1) / pl.len().sqrt(), score=pl.col("score").mean()
    )  # fmt: skip
    weight = pl.col("criterion").replace_strict(weights, return_dtype=pl.Float64)
    total = (weight * pl.col("score")).sum()
    sums = parts.group_by("prompt_id", "completion_id", maintain_order=True).agg(
        score=total / weight.abs().sum() if mean else total, judgments=pl.col("judgments").sum(),
        standard_error=((weight * pl.col("standard_error")) ** 2).sum().sqrt(), found=pl.len(),
        known=pl.col("standard_error").is_not_null().all(),
    )  # fmt: skip
    if missing == "drop":
        sums = sums.filter(pl.col("found") == len(weights))
    error = pl.when("known").then("standard_error")
    sums = sums.with_columns(standard_error=error, criterion=pl.lit(criterion)).drop("found", "known")
    return pl.concat([finished(part, "weighted_sum") for part in (parts, sums.select(parts.columns))])
