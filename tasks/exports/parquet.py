"""The preferences table as plain Parquet rows.

Source: the preferences table.

Use it to keep everything: scores, strengths, ids. It is bad for trainers, which want the columns of their own format.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export

_OURS = ("dataset", "run_id", "created_at")


@export
def parquet(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns all columns but the dataset, run and time, so that equal data make equal files; by pair_id."""
    return preferences.drop(_OURS, strict=False).sort("pair_id")
