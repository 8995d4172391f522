"""Objective margins: what the other objectives say of a pair that one objective labelled.

Source: MODPO (arXiv:2310.03708, section 3.2: the weighted margin of the other rewards enters the loss beside the
label's own).

Use it to train one policy a weighting from one set of pairs. It is bad at rewards on unlike scales: weigh them.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter
def objective_margins(
    preferences: pl.DataFrame, scores: pl.DataFrame, *, weights: dict[str, float], own_weight: float | None = None
) -> pl.DataFrame:
    """Returns the preferences with ``margin`` = the weighted sum of the other criteria's differences, over own weight.

    ``meta`` holds both texts' rewards by each of them, in the order of ``weights``. Null where a text lacks one.

    Args:
        scores: of the chosen and rejected, one a criterion.
        weights: criterion -> weight; none of them is what labelled the pairs.
        own_weight: of the label's objective; by default what is left to 1.

    Raises:
        ValueError: no weight is left for the label's own objective, or a criterion has several scorers.
    """
    own = 1 - sum(weights.values()) if own_weight is None else own_weight
    if not weights or not own > 0 or min(weights.values()) < 0:
        raise ValueError(
            f"weights are {weights}, which leaves {own:g} for the label's own objective; above 0 is needed"
        )
    rows = preferences.select("pair_id", "chosen_id", "rejected_id")
    for place, criterion in enumerate(weights):
        of = scores.filter(pl.col("criterion") == criterion)
        if of["scorer"].n_unique() > 1:
            raise ValueError(
                f"criterion {criterion!r} has scores by several scorers: {', '.join(sorted(set(of['scorer'])))}"
            )
        for side in ("chosen", "rejected"):
            values = of.select(pl.col("completion_id").alias(f"{side}_id"), pl.col("score").alias(f"{side}{place}"))
            rows = rows.join(values, on=f"{side}_id", how="left", maintain_order="left")
    gaps = [
        weight * (pl.col(f"chosen{place}") - pl.col(f"rejected{place}"))
        for place, weight in enumerate(weights.values())
    ]
    margin = sum(gaps[1:], gaps[0]) / own
    sides = {
        f"{side}_rewards": pl.concat_list(f"{side}{place}" for place in range(len(weights)))
        for side in ("chosen", "rejected")
    }
    found = rows.select(margin=margin, **sides)
    objectives = pl.concat_list(pl.lit(name) for name in weights)
    made = noted(preferences.hstack(found.drop("margin")), objectives=objectives, **{n: pl.col(n) for n in sides})
    return made.drop(*sides).with_columns(margin=found["margin"])
