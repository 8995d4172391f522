"""Length matching: takes out pairs until the longer answer is chosen no more often than wanted.

Source: Park et al. 2024, arXiv:2403.19159 (length as the confounder of preference data); Dubois et al. 2024,
arXiv:2404.04475 (length-controlled comparison).

Use it where the length win rate of a dataset is far from a half and the judges are to blame. It is bad where longer
answers are better in truth (a proof against a guess): look at pairs of a length first.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, spoken


@row_filter(scope="dataset", texts=True)
def length_matched(
    preferences: pl.DataFrame, *, most: float = 0.5, first: Literal["widest", "weakest"] = "widest"
) -> pl.DataFrame:
    """Returns the removals of pairs that prefer the commoner side of the length: row_id, reason, chosen over rejected.

    Pairs of equal length stay and do not count. Where the shorter wins too often, such pairs go instead.

    Args:
        most: share of the pairs of unequal length whose longer, or shorter, text is chosen, at most; from 0.5.
        first: which go first: those with the widest ratio of lengths, or with the smallest margin (null first).
    """
    if not 0.5 <= most < 1:
        raise ValueError(f"most {most} must be from 0.5 to below 1: the share of the commoner side")
    chosen, rejected = spoken("chosen").str.len_chars(), spoken("rejected").str.len_chars()
    rows = preferences.select("margin", row_id="pair_id", ratio=(chosen + 1) / (rejected + 1))
    longer, shorter = int((rows["ratio"] > 1).sum()), int((rows["ratio"] < 1).sum())
    side, many, few = ("longer", longer, shorter) if longer >= shorter else ("shorter", shorter, longer)
    excess = max(0, many - int(few * most / (1 - most) + 1e-9))
    common = rows.filter(pl.col("ratio") > 1 if side == "longer" else pl.col("ratio") < 1)
    order = -pl.col("ratio").log().abs() if first == "widest" else pl.col("margin")
    gone = common.sort(order, "row_id", nulls_last=False).head(excess)
    reason = pl.lit(f"the {side} text is chosen too often")
    return removals(gone.select("row_id", reason=reason, value=pl.col("ratio").round(3).cast(pl.String)))
