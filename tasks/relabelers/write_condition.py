"""Write condition: what both answers of a pair were told goes back into the prompt they are trained on.

Source: L1 (arXiv:2503.04697, section 3: the length budget stands in the prompt); MEET (arXiv:2310.00603, section 3.1:
control tokens).

Use it for pairs within one condition. It is bad at pairs across conditions, which it leaves alone: their label is the
condition itself.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import relabeler
from schemas.notes import note
from tasks.relabelers._goal import prompted


@relabeler
def write_condition(preferences: pl.DataFrame, completions: pl.DataFrame, *, text: str = "{condition}") -> pl.DataFrame:
    """Returns the preferences; where both texts were sampled under one condition, their prompt says so.

    Args:
        completions: with the ``condition`` that the sampler noted in ``meta``.
        text: with {condition} in it.

    Raises:
        ValueError: the text has no {condition}.
    """
    before, mark, after = text.partition("{condition}")
    if not mark:
        raise ValueError(f"text is {text!r}; it needs {{condition}} in it")
    told = completions.select("completion_id", condition=note("condition"))
    rows = preferences
    for side in ("chosen", "rejected"):
        own = told.rename({"completion_id": f"{side}_id", "condition": f"_{side}"})
        rows = rows.join(own, on=f"{side}_id", how="left", maintain_order="left")
    same = pl.when(pl.col("_chosen") == pl.col("_rejected")).then("_chosen")
    rows = prompted(rows, pl.concat_str(pl.lit(before), same, pl.lit(after)))
    return rows.drop("_chosen", "_rejected")
