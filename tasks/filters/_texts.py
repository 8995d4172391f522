"""The texts of messages columns as Polars expressions.

Source: the preferences table.
"""

from __future__ import annotations

import polars as pl


def normal(column: str) -> pl.Expr:
    """Returns the spoken text of a messages column in NFC, stripped, each run of whitespace one space."""
    said = pl.element().struct.field("content").fill_null(pl.element().struct.field("tool_calls")).fill_null("")
    text = pl.col(column).list.eval(said).list.join("\n\n")
    return text.str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars().alias(column)
