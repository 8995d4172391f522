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
    # spaces that stand alone stay as they are: to replace each by itself takes four times as long
    return text.str.replace_all(r"\s{2,}|[^\S ]", " ").str.strip_chars()


def may_be_equal(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Returns whether two texts can be equal once plain and in NFC, from 64 letters of each: it is never wrongly false.

    Texts that are the same begin the same. Outside ASCII composition may move letters, so there it is always true.
    """
    starts = [plain(text.str.strip_chars_start().str.slice(0, 64)) for text in (one, other)]
    ascii_only = pl.all_horizontal(text.str.len_bytes() == text.str.len_chars() for text in (one, other))
    return ~ascii_only | starts[0].str.starts_with(starts[1]) | starts[1].str.starts_with(starts[0])


def sides(of: str) -> tuple[str, ...]:
    """Returns the columns that ``of`` names: ``either`` is chosen and rejected, ``all`` the prompt too."""
    return {"either": ("chosen", "rejected"), "all": ("prompt", "chosen", "rejected")}.get(of, (of,))


def removals(found: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows with a reason as removals, the first a row where there are several, by row_id."""
    kept = found.filter(pl.col("reason").is_not_null()).unique("row_id", keep="first", maintain_order=True)
    return kept.select("row_id", "reason", pl.col("value").cast(pl.String)).sort("row_id")


def matches(
    preferences: pl.DataFrame, of: str, patterns: dict[str, str], *, unless: str | None = None, shown: int = 80
) -> pl.DataFrame:
    """Returns the removals of rows in whose texts a pattern is found: the pattern's name, and what it found.

    Args:
        patterns: name -> regular expression (Rust's syntax: no look-around).
        unless: a find that matches this does not count.
    """
    texts = {side: spoken(side) for side in sides(of)}
    anything = pl.any_horizontal(text.str.contains(p) for text in texts.values() for p in patterns.values())
    rows = preferences.filter(anything).select(row_id="pair_id", **texts)
    parts = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for name, pattern in patterns.items():
        for side in texts:
            found = pl.col(side).str.extract_all(pattern)
            if unless:
                found = found.list.eval(pl.element().filter(~pl.element().str.contains(unless)))
            value = found.list.get(0, null_on_oob=True).str.slice(0, shown)
            reason = pl.when(value.is_not_null()).then(pl.lit(f"{name} in the {side}"))
            parts.append(rows.select("row_id", reason=reason, value=value))
    return removals(pl.concat(parts))
