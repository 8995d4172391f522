"""Stage by accuracy: the sources of pairs in the order of how well a model already tells chosen from rejected in them.

Source: sDPO (arXiv:2403.19270, section 3.2: reward accuracy of each data set, the easiest first).

Use it with several data sets of unlike difficulty. It is bad at sources of few pairs, whose accuracy is chance.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter(scope="dataset")
def stage_by_accuracy(
    preferences: pl.DataFrame,
    *,
    by: Literal["margin", "strength", "logprob"] = "strength",
    groups: Literal["source", "criterion", "level"] = "source",
    hard_first: bool = False,
) -> pl.DataFrame:
    """Returns the preferences with ``stage`` from 1, one a group, highest accuracy first; ``meta`` holds the accuracy.

    Accuracy is the share of the group's measured pairs for which the measure is above 0. Equal accuracies are in the
    order of the groups' names; a group without a measured pair comes last; pairs without a group have no stage.

    Args:
        by: the model's own margin: a column, or for ``logprob`` the difference of the chosen's and rejected's mean
            log-probability a token.
        hard_first: lowest accuracy first.

    Raises:
        ValueError: nothing measured the pairs.
    """
    if by == "logprob":
        sides = [pl.col(f"{side}_logprob") / pl.col(f"{side}_tokens") for side in ("chosen", "rejected")]
        measure = sides[0] - sides[1]
    elif by in preferences.columns:
        measure = pl.col(by)
    else:
        raise ValueError(f"preferences have no {by}; put a weighter that measures it before this one")
    known = preferences.select(group=pl.col(groups).cast(pl.String), right=(measure > 0)).drop_nulls("group")
    accuracy = known.group_by("group").agg(_accuracy=pl.col("right").mean())
    order = accuracy.sort("_accuracy", "group", descending=[not hard_first, False], nulls_last=True)
    stages = order.with_row_index("stage", offset=1).with_columns(pl.col("stage").cast(pl.Int64))
    made = preferences.drop("stage", strict=False).join(
        stages, left_on=groups, right_on="group", how="left", maintain_order="left"
    )
    return noted(made, accuracy=pl.col("_accuracy")).drop("_accuracy")
