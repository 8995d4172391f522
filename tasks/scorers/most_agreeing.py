"""Most agreeing: the mean of the few ratings of a completion that lie closest together.

Source: HelpSteer2 (arXiv:2406.08673, section 2.3: of at least three annotations the three that agree most).

Use it with several annotators of whom one may have slipped. It is bad at two-sided disputes: it keeps one side.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import per, ratings
from tasks.scorers._quantile import finished


@scorer
def most_agreeing(judgments: pl.DataFrame, *, keep: int = 3, least: int | None = None) -> pl.DataFrame:
    """Returns for each completion and criterion the mean of the ``keep`` judges' mean ratings that differ least.

    Of equally narrow choices the mean of all counts. Fewer than ``keep`` ratings are all kept.

    Args:
        judgments: pointwise; a judge has one voice.
        least: completions that fewer judges rated have no score; by default ``keep``.

    Raises:
        ValueError: keep is below 1.
    """
    if keep < 1:
        raise ValueError(f"keep is {keep}; at least one rating must be kept")
    cell = ("prompt_id", "completion_id", "criterion")
    voices = per(ratings(judgments).select(*cell, "judge", "fingerprint", "score"), *cell, "judge", "fingerprint").agg(
        pl.col("score").mean()
    )
    count = pl.len().over(cell)
    voices = voices.filter(count >= (keep if least is None else least)).sort(*cell, "score")
    size = pl.min_horizontal(count, pl.lit(keep))
    place = pl.int_range(pl.len()).over(cell)
    run = pl.col("score").cum_sum().over(cell)
    voices = voices.with_columns(place=place, size=size, count=count, run=run)
    ends = voices.select(*cell, place="place", top="score", total="run")
    begin = voices.filter(pl.col("place") + pl.col("size") <= pl.col("count")).with_columns(
        last=pl.col("place") + pl.col("size") - 1, before=pl.col("run") - pl.col("score")
    )
    runs = begin.join(ends, left_on=[*cell, "last"], right_on=[*cell, "place"])
    runs = runs.with_columns(
        width=pl.col("top") - pl.col("score"), mean=(pl.col("total") - pl.col("before")) / pl.col("size")
    )
    best = runs.filter(pl.col("width") <= pl.col("width").min().over(cell) + 1e-12)
    scored = per(best.select(*cell, "mean", "size", "width"), *cell).agg(
        score=pl.col("mean").mean(), judgments=pl.col("size").first(), standard_error=pl.lit(None, pl.Float64).first()
    )
    return finished(scored, "most_agreeing")
