"""Completions that had more help than their prompt needs.

Source: GHPO (arXiv:2507.10628, section 3.2: hints are added step by step, only where the policy fails without).

Use it after ``hinted`` samples, so that help stays rare. It is bad with few samples a share: a lucky one settles how
much help was needed.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from schemas.notes import note


@row_filter
def needless_hints(
    completions: pl.DataFrame, judgments: pl.DataFrame, *, right: float = 0.5, criterion: str | None = None
) -> pl.DataFrame:
    """Returns the removals of completions with another share of hint than the smallest that led to a right answer.

    ``value`` is the completion's share. Where no share did, all completions stay. Those without a hint count as 0.

    Args:
        completions: with the ``hint`` that the sampler noted in ``meta``.
        judgments: a completion is right where every valid pointwise judgment gives it more than ``right``.
        criterion: which judgments count, where there are several.
    """
    said = judgments.filter(pl.col("kind") == "pointwise", pl.col("outcome") == "valid")
    if criterion is not None:
        said = said.filter(pl.col("criterion") == criterion)
    solved = said.group_by(completion_id=pl.col("subjects").list.first()).agg(right=(pl.col("score") > right).all())
    rows = completions.select("completion_id", "prompt_id", share=note("hint", pl.Float64).fill_null(0.0))
    rows = rows.join(solved, on="completion_id", how="left")
    least = pl.col("share").filter(pl.col("right").fill_null(False)).min().over("prompt_id")
    spare = rows.with_columns(least=least).filter(pl.col("share") != pl.col("least"))
    reason = pl.when(pl.col("share") > pl.col("least")).then(pl.lit("more hint than needed")).otherwise(
        pl.lit("less hint than needed")
    )  # fmt: skip
    return spare.select(row_id="completion_id", reason=reason, value=pl.col("share").cast(pl.String)).sort("row_id")
