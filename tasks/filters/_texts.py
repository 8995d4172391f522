"""The texts of messages columns as Polars expressions.

Source: the preferences table.
"""

from __future__ import annotations

import polars as pl

_FIELDS = ("role", "content", "tool_calls", "extra")


def whole(column: str) -> pl.Expr:
    """Returns everything in a messages column as one text a row, equal exactly where the messages are equal."""
    fields = [pl.element().struct.field(name).fill_null("\x00") for name in _FIELDS]
    return pl.col(column).list.eval(pl.concat_str(fields, separator="\x1f")).list.join("\x1e").alias(column)


def normal(column: str) -> pl.Expr:
    """Returns the spoken text of a messages column in NFC, stripped, each run of whitespace one space."""
    said = pl.element().struct.field("content").fill_null(pl.element().struct.field("tool_calls")).fill_null("")
    text = pl.col(column).list.eval(said).list.join("\n\n")
    return text.str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars().alias(column)
