"""Preference pairs as TRL's DPO-family trainers load them.

Source: TRL, dataset formats: conversational preference with explicit prompt.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export

_TURN = pl.element().struct


@export
def trl_dpo(preferences: pl.DataFrame, *, extra: tuple[str, ...] = ()) -> pl.DataFrame:
    """Returns the columns prompt, chosen and rejected, each a list of {role, content}; one row a pair, by pair_id.

    Args:
        extra: further columns of the preferences table to take along, e.g. ``chosen_score``; the trainers ignore them.

    Raises:
        ValueError: a message is more than text (a tool call, content parts), which this format cannot hold, or a column
            named in ``extra`` does not exist.
    """
    unknown = [name for name in extra if name not in preferences.columns]
    if unknown:
        raise ValueError(f"there is no column {unknown[0]!r}; there are {', '.join(preferences.columns)}")
    rows = preferences.sort("pair_id")
    for column in ("prompt", "chosen", "rejected"):
        more = _TURN.field("tool_calls").is_not_null() | _TURN.field("extra").is_not_null()
        odd = rows.filter(pl.col(column).list.eval(more | _TURN.field("content").is_null()).list.any())
        if odd.height:
            raise ValueError(f"pair {odd['pair_id'][0]}: {column} holds more than text; export it as parquet")
    turn = pl.struct(role=_TURN.field("role"), content=_TURN.field("content"))
    return rows.select(*(pl.col(name).list.eval(turn) for name in ("prompt", "chosen", "rejected")), *extra)
