"""Text put into a prompt: what an answer is to be like, as a system message.

Source: the preferences table; messages as ``schemas.messages`` has them.
"""

from __future__ import annotations

import polars as pl

from schemas.ids import content_id


def prompted(frame: pl.DataFrame, text: pl.Expr) -> pl.DataFrame:
    """Returns the rows with the text as their prompt's first message, or at the end of the system message it has.

    A null text leaves the prompt as it is.
    """
    first = pl.col("prompt").list.first()
    held = first.struct.field("role").is_in(["system", "developer"])
    null = pl.lit(None, pl.String)
    fresh = pl.struct(
        role=pl.lit("system"), content=pl.col("_goal"), tool_calls=null, extra=null
    )  # fmt: skip
    joined = pl.struct(
        role=first.struct.field("role"),
        content=pl.concat_str(first.struct.field("content"), pl.lit("\n\n"), pl.col("_goal")),
        tool_calls=first.struct.field("tool_calls"), extra=first.struct.field("extra"),
    )  # fmt: skip
    led = (
        pl.when(pl.col("_goal").is_null()).then("prompt")
        .when(held).then(pl.concat_list(joined, pl.col("prompt").list.slice(1)))
        .otherwise(pl.concat_list(fresh, pl.col("prompt")))
    )  # fmt: skip
    return frame.with_columns(_goal=text).with_columns(prompt=led).drop("_goal")


def renamed(frame: pl.DataFrame, why: str) -> pl.DataFrame:
    """Returns pairs with ids of their own, made of what they had and why there is another one."""
    return frame.with_columns(
        pl.Series(name, [content_id(why, old) for old in frame[name]], dtype=pl.String)
        for name in ("pair_id", "content_id") if name in frame.columns
    )  # fmt: skip
