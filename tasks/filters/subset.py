"""Subset: keeps the prompts below a share, so that smaller sets lie within larger ones.

Source: Insights into Alignment (arXiv:2404.14723: training subsets of increasing size of the same pairs).

Use it to learn how much data is enough. It is bad as a filter of quality: which prompts stay is a coin.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from schemas.coins import coins


@row_filter
def subset(preferences: pl.DataFrame, *, share: float, seed: int = 0) -> pl.DataFrame:
    """Returns the removals of all pairs of prompts whose coin is ``share`` or more; ``value`` is the coin.

    The coin is a prompt's own: other prompts do not move it, and what stays at a share stays at every larger one.

    Raises:
        ValueError: share is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it must be from 0 to 1")
    rank = pl.Series("rank", coins(seed, preferences["prompt_id"], "subset"), dtype=pl.Float64)
    out = preferences.select(row_id="pair_id").with_columns(rank).filter(pl.col("rank") >= share)
    return out.select(
        "row_id", reason=pl.lit("outside the subset of prompts"), value=pl.col("rank").round(6).cast(pl.String)
    ).sort("row_id")
