"""Truncated answers: takes out pairs with an answer that ran into its length limit.

Source: DAPO (arXiv:2503.14476, section 3.4: the reward of a cut answer is noise).

Use it where the token limit is low. It is bad where long answers are cut often: what stays is then biased to short.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides


@row_filter
def truncated(
    preferences: pl.DataFrame, completions: pl.DataFrame, *, of: Literal["chosen", "rejected", "either"] = "either"
) -> pl.DataFrame:
    """Returns the removals of pairs with an answer whose finish_reason is ``length``; ``value`` is its id."""
    cut = completions.filter(pl.col("finish_reason") == "length")["completion_id"].implode()
    return removals(
        pl.concat(
            preferences.select(
                row_id="pair_id",
                reason=pl.when(pl.col(f"{side}_id").is_in(cut)).then(pl.lit(f"{side} was cut")).otherwise(None),
                value=f"{side}_id",
            )
            for side in sides(of)
        )
    )
