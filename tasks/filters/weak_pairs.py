"""Weak pairs: takes out preferences that are too weak, too strong or too much in dispute.

Source: Wang et al. 2024, arXiv:2401.06080 (Secrets of RLHF II), section 2.2 (bands of strength); Wang et al. 2024,
arXiv:2410.01257 (HelpSteer2-Preference), section 3.1 (a range above 2 or a strength of nought drops the pair).

Use it after a weighter that measures. It is bad where the weak pairs are the hard ones one wants to learn from.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter


@row_filter(scope="dataset")
def weak_pairs(
    preferences: pl.DataFrame,
    *,
    by: Literal["strength", "p_chosen", "margin"] = "strength",
    least: float | None = None,
    most: float | None = None,
    weakest: float = 0.0,
    strongest: float = 0.0,
    most_std: float | None = None,
    unmeasured: Literal["drop", "keep"] = "drop",
) -> pl.DataFrame:
    """Returns the pairs to take out: row_id, reason and the measured value, at most one row per pair.

    Reasons, the first that holds: ``unmeasured``, ``weak``, ``strong``, ``disputed``.

    Args:
        least, most: bounds of the measure; pairs on a bound stay.
        weakest, strongest: shares of the measured pairs to take out at either end (ties by pair_id). Shares are of
            what comes in, so running the filter again takes out more.
        most_std: largest strength_std that stays.
        unmeasured: what becomes of pairs nobody could judge; they are no weaker than others, only unknown.
    """
    if by not in preferences.columns:
        raise ValueError(f"preferences have no {by}; put a weighter that measures it before this one")
    if min(weakest, strongest) < 0 or weakest + strongest > 1:
        raise ValueError(f"weakest {weakest} and strongest {strongest} must be shares that add up to 1 or less")
    measured = len(preferences) - preferences[by].null_count()
    place = pl.when(pl.col(by).is_not_null()).then(pl.struct(by, "pair_id")).rank("ordinal").cast(pl.Int64)
    nothing, value = pl.lit(False), pl.col(by)
    weak = (place <= int(weakest * measured + 1e-9)) | (nothing if least is None else value < least)
    strong = (place > measured - int(strongest * measured + 1e-9)) | (nothing if most is None else value > most)
    disputed = nothing
    if most_std is not None:
        if "strength_std" not in preferences.columns:
            raise ValueError("preferences have no strength_std; put `weight: strength` before this one")
        disputed = pl.col("strength_std") > most_std
    reason = (
        pl.when(value.is_null()).then(pl.lit("unmeasured" if unmeasured == "drop" else None, pl.String))
        .when(weak).then(pl.lit("weak")).when(strong).then(pl.lit("strong")).when(disputed).then(pl.lit("disputed"))
    )  # fmt: skip
    shown = (
        pl.when(reason == "disputed").then(pl.col("strength_std") if most_std is not None else value).otherwise(value)
    )
    found = preferences.select(row_id="pair_id", reason=reason, value=shown.cast(pl.String))
    return found.filter(pl.col("reason").is_not_null()).sort("row_id")
