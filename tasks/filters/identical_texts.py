"""Pairs whose chosen and rejected say the same.

Source: equality after stripping, collapsing whitespace and Unicode NFC; REBEL's data drop chosen equal to rejected
(arXiv:2404.16767).

Use it always: such a pair teaches nothing. It is bad at texts that differ in one word: see ``near_duplicates`` and
``weak_pairs``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import may_be_equal, plain, spoken


@row_filter
def identical_texts(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns the removals of pairs whose two texts differ in whitespace or Unicode composition at most.

    ``value`` is the text's first hundred characters.
    """
    return (
        preferences.select("pair_id", chosen=spoken("chosen"), rejected=spoken("rejected"))
        .filter(may_be_equal(pl.col("chosen"), pl.col("rejected")))
        .with_columns(plain(pl.col("chosen", "rejected").str.normalize("NFC")))
        .filter(pl.col("chosen") == pl.col("rejected"))
        .select(
            row_id="pair_id",
            reason=pl.lit("chosen and rejected are the same text"),
            value=pl.col("chosen").str.slice(0, 100),
        )
        .sort("row_id")
    )
