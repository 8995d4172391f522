"""Turns preferences round: the rejected becomes the chosen, and every number with it.

Source: the preferences table: columns that begin with chosen_ or rejected_ change places, signed ones change sign.
"""

from __future__ import annotations

import polars as pl

_SIGNED = ("margin", "strength")


def swapped(preferences: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """Returns the preferences with the rows of ``which`` turned round and ``flipped`` negated there.

    ``strength_std`` and ``weight`` stay: they have no direction. Null in ``which`` leaves a row as it is.
    """
    frame = preferences.with_columns(_turn=which.fill_null(False))
    if "flipped" not in frame.columns:
        frame = frame.with_columns(flipped=pl.lit(None, pl.Boolean))
    sides = [name for name in frame.columns if name == "chosen" or name.startswith("chosen_")]
    changes = []
    for chosen in sides:
        rejected = chosen.replace("chosen", "rejected", 1)
        for mine, theirs in ((chosen, rejected), (rejected, chosen)):
            changes.append(pl.when("_turn").then(pl.col(theirs)).otherwise(pl.col(mine)).alias(mine))
    changes += [
        pl.when("_turn").then(-pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in _SIGNED
        if name in frame.columns
    ]
    if "p_chosen" in frame.columns:
        changes.append(pl.when("_turn").then(1 - pl.col("p_chosen")).otherwise("p_chosen").alias("p_chosen"))
    flipped = pl.col("flipped").fill_null(False) != pl.col("_turn")
    return frame.with_columns(*changes, flipped=flipped).select(
        *preferences.columns, *(() if "flipped" in preferences.columns else ("flipped",))
    )
