"""Preference pairs as TRL's trainers of pairs load them: DPO, CPO, ORPO, reward models, and KTO, which unpairs them.

Source: TRL, dataset formats: conversational preference with explicit prompt.

Use it for most trainers of pairs. It is bad at strengths and soft labels, unless ``extra`` takes them along.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import SIDES, finite, joined, plain, taken


@export
def trl_dpo(preferences: pl.DataFrame, *, extra: tuple[str, ...] = ()) -> pl.DataFrame:
    """Returns the columns prompt, chosen and rejected, each a list of {role, content}; one row a pair, by pair_id.

    A step pair's shared beginning stands before both steps: these trainers cannot go on with a turn.

    Args:
        extra: further columns of the preferences table to take along, e.g. ``chosen_score``; the trainers ignore them.

    Raises:
        ValueError: a message is more than text (a tool call, content parts), which this format cannot hold, or a column
            named in ``extra`` does not exist.
    """
    more = taken(preferences, extra)
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    return rows.select(*SIDES, *more)
