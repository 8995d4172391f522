"""Length bounds: takes out texts that are too short, too long, or too unlike each other in length.

Source: SimPO (arXiv:2405.14734, section 2: length is exploited); Park et al. 2024, arXiv:2403.19159 (length as the main
confounder of preference data).

Use it to fit a trainer's context and to drop answers of a word. It is bad as the only control of length bias: pairs
within the bounds may still all prefer the longer text (see ``length_matched``).
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides, spoken


@row_filter
def length_bounds(
    preferences: pl.DataFrame,
    *,
    of: Literal["prompt", "chosen", "rejected", "either", "all"] = "either",
    least: int = 1,
    most: int | None = None,
    ratio: float | None = None,
    unit: Literal["characters", "words"] = "characters",
) -> pl.DataFrame:
    """Returns the removals of pairs with a text out of bounds: row_id, reason and the measured length.

    Args:
        of: which texts must keep the bounds; ``either`` is chosen and rejected, ``all`` the prompt too.
        least, most: bounds that a text may touch; null sets none.
        ratio: the longer of chosen and rejected has at most so many times the length of the shorter.
        unit: words are runs of what is no whitespace.
    """
    if ratio is not None and ratio < 1:
        raise ValueError(f"ratio {ratio} must be at least 1: the longer length over the shorter")
    measured = {
        side: spoken(side).str.len_chars() if unit == "characters" else spoken(side).str.count_matches(r"\S+")
        for side in {*sides(of), "chosen", "rejected"}
    }
    rows = preferences.select(row_id="pair_id", **measured)
    parts = []
    for side in sides(of):
        short = pl.when(pl.col(side) < least).then(pl.lit(f"{side} too short"))
        long = None if most is None else pl.when(pl.col(side) > most).then(pl.lit(f"{side} too long"))
        reason = pl.coalesce(short, long) if long is not None else short.otherwise(None)
        parts.append(rows.select("row_id", reason=reason, value=pl.col(side).cast(pl.String)))
    if ratio is not None:
        times = pl.max_horizontal("chosen", "rejected") / pl.min_horizontal("chosen", "rejected")
        unlike = pl.when(times > ratio).then(pl.lit("lengths too unlike"))
        parts.append(rows.select("row_id", reason=unlike, value=times.round(3).cast(pl.String)))
    return removals(pl.concat(parts))
