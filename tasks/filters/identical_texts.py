"""Pairs whose chosen and rejected say the same, or of which one says nothing.

Source: equality after stripping, collapsing whitespace and Unicode NFC; REBEL's data drop chosen equal to rejected
(arXiv:2404.16767).

Use it always: such a pair teaches nothing. It is bad at texts that differ in one word: see ``near_duplicates`` and
``weak_pairs``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import may_be_equal, plain, removals, spoken


@row_filter
def identical_texts(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns the removals of pairs whose two texts differ in whitespace or Unicode composition at most, or are empty.

    ``value`` is the first hundred characters of the text there is.
    """
    texts = preferences.select(row_id="pair_id", chosen=spoken("chosen"), rejected=spoken("rejected"))
    empty = pl.any_horizontal(~pl.col(side).str.contains(r"\S") for side in ("chosen", "rejected"))
    found = (
        texts.filter(empty.fill_null(True) | may_be_equal(pl.col("chosen"), pl.col("rejected")))
        .with_columns(plain(pl.col("chosen", "rejected").str.normalize("NFC")))
        .with_columns(
            reason=pl.when(pl.col("chosen") == pl.col("rejected")).then(pl.lit("chosen and rejected are the same text"))
            .when(empty.fill_null(True)).then(pl.lit("a text is empty")),
        )
    )  # fmt: skip
    longer = pl.when(pl.col("chosen") == "").then("rejected").otherwise("chosen")
    return removals(found.with_columns(value=longer.str.slice(0, 100)))
