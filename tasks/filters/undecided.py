"""Pairs that no criterion decides.

Source: Hummer (arXiv:2405.11647, section 3.2: pairs without one decisive dimension are left out).

Use it after a weighter that files pairs by criterion. It is bad alone: where nothing filed the pairs it takes all of
them out.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter


@row_filter(scope="dataset")
def undecided(
    preferences: pl.DataFrame, *, by: Literal["level", "criterion", "annotator_group", "stage"] = "level"
) -> pl.DataFrame:
    """Returns the removals of pairs whose column is null: nothing filed them."""
    rows = preferences.filter(pl.col(by).is_null()).sort("pair_id")
    return rows.select(row_id="pair_id", reason=pl.lit(f"no {by}"), value=pl.lit(None, pl.String))
