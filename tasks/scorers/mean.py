"""The mean of a completion's valid pointwise scores.

Source: averaging repeated gradings, MT-bench (arXiv:2306.05685, section 3.1); a failed judgment enters no mean.

Use it to pool repeated gradings, or judges on one scale. It is bad with judges on unlike scales or of unlike quality:
the loudest scale wins.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._quantile import finished


@scorer
def mean(judgments: pl.DataFrame) -> pl.DataFrame:
    """Returns one score a completion and criterion that has a valid pointwise judgment: the mean over all judges.

    A completion none of whose judgments is valid has no row. ``standard_error`` is the sample standard deviation over
    the square root of the count, null for a single judgment.
    """
    valid = judgments.filter(
        (pl.col("kind") == "pointwise") & (pl.col("outcome") == "valid") & pl.col("score").is_finite()
    )
    # sorted first: a sum of floats depends on its order
    scored = (
        valid.select("prompt_id", "criterion", "score", completion_id=pl.col("subjects").list.first())
        .sort("prompt_id", "completion_id", "criterion", "score")
        .group_by("prompt_id", "completion_id", "criterion", maintain_order=True)
        .agg(
            judgments=pl.len(),
            standard_error=pl.col("score").std(ddof=1) / pl.len().sqrt(),
            score=pl.col("score").mean(),
        )
    )
    return finished(scored, "mean")
