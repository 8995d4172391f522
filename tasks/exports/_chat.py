"""Chat content in the shapes that trainers read, and what a shape cannot hold, refused by name.

Source: messages as ``schemas.messages`` has them; role and content as OpenAI's chat completions API names them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from schemas.errors import RowsError

TURN = pl.element().struct
SIDES = ("prompt", "chosen", "rejected")
ANSWERS = ("chosen", "rejected", "completion")
NUMBERS = (pl.Float32, pl.Float64)


def plain(rows: pl.DataFrame, key: str, *columns: str) -> pl.DataFrame:
    """Returns the rows by id with these messages columns as lists of {role, content}.

    Raises:
        RowsError: a message is more than text (a tool call, content parts, a name), or a side holds turns that are not
            the assistant's.
    """
    more = TURN.field("tool_calls").is_not_null() | TURN.field("extra").is_not_null()
    turn = pl.struct(role=TURN.field("role"), content=TURN.field("content"))
    for column in columns:
        hits = pl.col(column).list.eval(more | TURN.field("content").is_null()).list.any()
        refuse(rows, key, hits, f"{column} holds more than text; export it as parquet")
        others = pl.lit(column in ANSWERS) & pl.col(column).list.eval(TURN.field("role") != "assistant").list.any()
        refuse(rows, key, others, f"{column} holds turns of others, which would be trained on; export it as parquet")
    return rows.sort(key).with_columns(pl.col(column).list.eval(turn) for column in columns)


def refuse(rows: pl.DataFrame, key: str, hits: pl.Expr, why: str) -> None:
    """Raises a RowsError that names the rows of which this is true."""
    odd = rows.filter(hits)[key].to_list()
    if odd:
        raise RowsError(_kind(key), dict.fromkeys(odd, why))


def each(
    rows: pl.DataFrame, key: str, shape: Callable[[dict[str, Any]], dict[str, Any]], advice: str = ""
) -> list[dict[str, Any]]:
    """Returns what ``shape`` makes of each row, by id.

    Raises:
        RowsError: it raised ValueErrors; the error names all of their rows.
    """
    shaped, odd = [], {}
    for row in rows.sort(key).iter_rows(named=True):
        try:
            shaped.append(shape(row))
        except ValueError as error:
            odd[row[key]] = f"{error}{advice}"
    if odd:
        raise RowsError(_kind(key), odd)
    return shaped


def _kind(key: str) -> str:
    return "row" if key == "step_row_id" else key.removesuffix("_id")


def spoken_once(rankings: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    """Returns the rankings as they are: their texts are all that was said.

    Raises:
        ValueError: a completion has several turns or a tool call, which a list of texts has lost.
    """
    more = TURN.field("tool_calls").is_not_null() | TURN.field("extra").is_not_null()
    odd = (pl.col("messages").list.len() != 1) | pl.col("messages").list.eval(more).list.any()
    lost = completions.filter(odd)["completion_id"].implode()
    hits = pl.col("completion_ids").list.eval(pl.element().is_in(lost)).list.any()
    refuse(
        rankings, "ranking_id", hits, "an answer has several turns or a tool call, of which a list keeps the text alone"
    )
    return rankings


def joined(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns pairs whose texts are whole: a step pair's shared beginning stands before both of its steps.

    In a difference of two log-ratios the shared tokens cancel, so a trainer of whole answers learns the same.
    """
    if "prefix" not in preferences.columns:
        return preferences
    begun = pl.col("prefix").fill_null("") != ""
    sides = []
    for side in ("chosen", "rejected"):
        first = pl.col(side).list.first().struct
        led = pl.struct(
            role=first.field("role"), content=pl.concat_str("prefix", first.field("content")),
            tool_calls=first.field("tool_calls"), extra=first.field("extra"),
        )  # fmt: skip
        whole = pl.concat_list(led, pl.col(side).list.slice(1))
        sides.append(pl.when(begun).then(whole).otherwise(side).alias(side))
    return preferences.with_columns(sides)


def conditioned(examples: pl.DataFrame) -> pl.DataFrame:
    """Returns examples whose condition stands in the prompt: its system message's end, or a system message of its own.

    An empty or missing condition leaves the prompt as it is.
    """
    if "conditioning" not in examples.columns:
        return examples
    said, first = pl.col("conditioning"), pl.col("prompt").list.first().struct
    null = pl.lit(None, pl.String)
    fresh = pl.struct(role=pl.lit("system"), content=said, tool_calls=null, extra=null)
    longer = pl.struct(
        role=first.field("role"), content=pl.concat_str(first.field("content"), pl.lit("\n\n"), said),
        tool_calls=first.field("tool_calls"), extra=first.field("extra"),
    )  # fmt: skip
    led = (
        pl.when(said.fill_null("") == "").then("prompt")
        .when(first.field("role").is_in(["system", "developer"]))
        .then(pl.concat_list(longer, pl.col("prompt").list.slice(1)))
        .otherwise(pl.concat_list(fresh, pl.col("prompt")))
    )  # fmt: skip
    return examples.with_columns(prompt=led)


def taken(rows: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """Returns the names of further columns to take along.

    Raises:
        ValueError: there is no such column.
    """
    unknown = [name for name in names if name not in rows.columns]
    if unknown:
        raise ValueError(f"there is no column {unknown[0]!r}; there are {', '.join(rows.columns)}")
    return list(names)


def finite(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Returns the rows as they are.

    Raises:
        ValueError: a number is infinite or no number, which JSON cannot hold and no loss survives.
    """
    for name, kind in rows.schema.items():
        if kind in NUMBERS:
            refuse(rows, key, pl.col(name).is_not_null() & ~pl.col(name).is_finite(), f"{name} is no finite number")
        elif isinstance(kind, pl.List) and kind.inner in NUMBERS:
            odd = pl.col(name).list.eval(pl.element().is_not_null() & ~pl.element().is_finite()).list.any()
            refuse(rows, key, odd, f"{name} holds what is no finite number")
    return rows
