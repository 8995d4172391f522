"""Pairs in the order they are to be learnt: stage by stage.

Source: sDPO (arXiv:2403.19270: easy to hard by reward accuracy), SPO (arXiv:2405.12739: a stage a dimension), OFS-DPO
(arXiv:2406.05534: a stage a domain), DNO (arXiv:2404.03715: a stage an iteration).

Use it for training in rounds, easy to hard or dimension by dimension. It is bad with a trainer that shuffles, which
undoes the order.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.notes import note
from tasks.exports._chat import SIDES, finite, joined, plain, refuse


@export
def staged_pairs(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt, chosen, rejected, stage, stage_source and reward_accuracy, by stage, then pair_id.

    A pair is in one stage, so stages are disjoint; ``stage_source`` says what the stage was made by: the criterion or
    the source of its pairs.

    Raises:
        ValueError: a pair has no stage, or one below 1; or a message is more than text.
    """
    refuse(preferences, "pair_id", pl.col("stage").is_null(), "there is no stage; a weighter of the recipe sets it")
    refuse(preferences, "pair_id", pl.col("stage") < 1, "its stage is below 1")
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES).sort("stage", "pair_id")
    return rows.select(
        *SIDES, "stage", stage_source=pl.coalesce("level", "criterion", "source"),
        reward_accuracy=note("accuracy", pl.Float64),
    )  # fmt: skip
