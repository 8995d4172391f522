"""Pairs that occur twice.

Source: deduplication before training (arXiv:2107.06499, section 3); a pair seen twice has twice the weight.

Use it always: a pair seen twice counts twice. It is bad at near duplicates: see ``near_duplicates``.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter


@row_filter(scope="dataset")
def exact_duplicates(preferences: pl.DataFrame, *, by: Literal["pair", "prompt"] = "pair") -> pl.DataFrame:
    """Returns the removals of all but one of each group of equal pairs: the one with the lowest pair_id stays.

    ``value`` names the pair that stays.

    Args:
        by: equal are pairs of a prompt with the same ``content_id`` (chosen and rejected messages); or all of a prompt.
    """
    keys = ["prompt_id"] if by == "prompt" else ["prompt_id", "content_id"]
    reason = "same prompt" if by == "prompt" else "same prompt, chosen and rejected"
    return (
        preferences.lazy()
        .select("pair_id", kept=pl.col("pair_id").min().over(keys))
        .filter(pl.col("pair_id") != pl.col("kept"))
        .select(row_id="pair_id", reason=pl.lit(reason), value="kept")
        .sort("row_id")
        .collect()
    )
