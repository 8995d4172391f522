"""The texts of messages columns as Polars expressions.

Source: the preferences table.
"""

from __future__ import annotations

import polars as pl


def spoken(column: str) -> pl.Expr:
    """Returns the text of a messages column, one turn a paragraph."""
    said = pl.element().struct.field("content").fill_null(pl.element().struct.field("tool_calls")).fill_null("")
    return pl.col(column).list.eval(said).list.join("\n\n")


def plain(text: pl.Expr) -> pl.Expr:
    """Returns the text stripped, each run of whitespace one space."""
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def may_be_equal(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Returns whether two texts can be equal once plain and in NFC, from 64 letters of each: it is never wrongly false.

    Texts that are the same begin the same. Outside ASCII composition may move letters, so there it is always true.
    """
    starts = [plain(text.str.strip_chars_start().str.slice(0, 64)) for text in (one, other)]
    ascii_only = pl.all_horizontal(text.str.len_bytes() == text.str.len_chars() for text in (one, other))
    return ~ascii_only | starts[0].str.starts_with(starts[1]) | starts[1].str.starts_with(starts[0])
