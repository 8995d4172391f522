"""Pairs with who they are the preference of, and other pairs of the same annotator or group as context.

Source: VPL (arXiv:2408.10075, section 5.2: contexts, survey), MaxMin-RLHF (arXiv:2402.08925: groups).

Use it for methods that model whose preference a pair is. It is bad for plain trainers: pairs of two groups may
contradict each other.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.notes import note
from tasks.exports._chat import SIDES, finite, joined, plain, refuse


@export
def grouped_pairs(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns pair_id, prompt, chosen, rejected, group, contexts (pair ids), survey and controversial; by pair_id.

    ``controversial`` is true where another group prefers the other answer of the same two.

    Raises:
        ValueError: a pair has no group, a context names a pair that is not there, or a message is more than text.
    """
    group = pl.col("annotator_group")
    refuse(
        preferences, "pair_id", group.is_null(), "there is no group; `per_criterion` or `annotator_groups` gives one"
    )
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES).with_columns(
        contexts=note("contexts").str.json_decode(pl.List(pl.String)).fill_null([]),
    )
    missing = set(rows["contexts"].explode().drop_nulls()) - set(rows["pair_id"])
    if missing:
        raise ValueError(f"a context names the pair {min(missing)}, which is not there; make contexts after filters")
    mirrored = rows.select("prompt_id", chosen_id="rejected_id", rejected_id="chosen_id", _seen=pl.lit(True)).unique()
    rows = rows.join(mirrored, on=["prompt_id", "chosen_id", "rejected_id"], how="left", maintain_order="left")
    return rows.select(
        "pair_id", *SIDES, "contexts", group=group, survey=note("survey") == "true",
        controversial=pl.col("_seen").fill_null(False),
    )  # fmt: skip
