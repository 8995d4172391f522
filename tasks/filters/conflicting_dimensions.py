"""Conflicting dimensions: takes out pairs whose chosen answer is much worse by another criterion.

Source: alignment dimension conflict of Hummer (Jiang et al. 2024, arXiv:2405.11647): the mean of min(0, delta)**2 over
the other dimensions, here of the pair's own scores rather than of a trained reward model's accuracy.

Use it with several criteria (helpful, honest, harmless). It is bad where the trade is meant: a terse right answer.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals


@row_filter
def conflicting_dimensions(
    preferences: pl.DataFrame, scores: pl.DataFrame, *, most: float = 0.0, scale: float = 1.0
) -> pl.DataFrame:
    """Returns the removals of pairs whose conflict is above ``most``: row_id, reason, the conflict.

    Pairs whose completions share no scored criterion but their own have none.

    Args:
        most: largest conflict that stays; 0 demands that the chosen is nowhere worse.
        scale: length of the scores' scale, by which differences are divided: 9 for scores from 1 to 10.
    """
    if scale <= 0 or most < 0:
        raise ValueError(f"scale {scale} must be above 0, and most {most} not below")
    return removals(
        conflict(preferences, scores, scale=scale).select(
            row_id="pair_id",
            reason=pl.when(pl.col("conflict") > most).then(pl.lit("worse by another criterion")),
            value=pl.col("conflict").round(6).cast(pl.String),
        )
    )


def conflict(preferences: pl.DataFrame, scores: pl.DataFrame, *, scale: float = 1.0) -> pl.DataFrame:
    """Returns pair_id and conflict, one row a pair, 0 where nothing can be compared."""
    means = scores.group_by("completion_id", "criterion").agg(pl.col("score").mean())
    sides = [means.rename({"completion_id": f"{side}_id", "score": side}) for side in ("one", "two")]
    pairs = preferences.select("pair_id", pl.col("criterion").alias("own"), one_id="chosen_id", two_id="rejected_id")
    both = pairs.join(sides[0], on="one_id").join(sides[1], on=["two_id", "criterion"])
    others = both.filter(pl.col("own").is_null() | (pl.col("criterion") != pl.col("own")))
    loss = ((pl.col("one") - pl.col("two")) / scale).clip(upper_bound=0) ** 2
    found = others.group_by("pair_id").agg(conflict=loss.mean())
    return pairs.select("pair_id").join(found, on="pair_id", how="left").with_columns(pl.col("conflict").fill_null(0.0))
