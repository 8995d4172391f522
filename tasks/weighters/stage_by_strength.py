"""Stage by strength: a curriculum, the clearest preferences first.

Source: Pattnaik et al. 2024, arXiv:2403.07230 (Curry-DPO: pairs of decreasing gap); Kim et al. 2024, arXiv:2403.19270
(sDPO: training in stages, easy ones first).

Use it for stepwise training. It is bad at small sets, whose stages hold too few pairs.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter


@weighter(scope="dataset")
def stage_by_strength(
    preferences: pl.DataFrame,
    *,
    stages: int = 3,
    by: Literal["strength", "p_chosen", "margin"] = "strength",
    first: Literal["strong", "weak"] = "strong",
) -> pl.DataFrame:
    """Returns the preferences with ``stage`` from 1, stages of equal size to within one pair; null where unmeasured.

    Equal strengths are told apart by pair_id.

    Args:
        first: whether stage 1 holds the strongest or the weakest pairs.
    """
    if stages < 1:
        raise ValueError(f"stages is {stages}, it must be at least 1")
    if by not in preferences.columns:
        raise ValueError(f"preferences have no {by}; put a weighter that measures it before this one")
    order = -pl.col(by) if first == "strong" else pl.col(by)
    known = preferences.filter(pl.col(by).is_not_null()).sort(order, "pair_id").select("pair_id")
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    staged = known.with_columns(stage=place * stages // pl.len() + 1)
    return preferences.drop("stage", strict=False).join(staged, on="pair_id", how="left", maintain_order="left")
