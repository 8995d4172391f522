"""Ensemble vote: each judge gives one margin a pair; their mean is its strength, their spread how unsure it is.

Source: Wang et al. 2024, arXiv:2401.06080 (Secrets of RLHF II), section 2.1: ten reward models, mean and population
standard deviation of r(chosen) - r(rejected); section 2.2 (soft labels).

Use it with several reward models trained alike. It is bad at few judges, whose spread says little.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from tasks.weighters._margins import CELL, attach, margins


@weighter
def ensemble_vote(
    preferences: pl.DataFrame,
    judgments: pl.DataFrame,
    *,
    judges: list[str] | None = None,
    scale: float = 1.0,
    least_judges: int = 2,
) -> pl.DataFrame:
    """Returns the preferences with ``strength``, ``strength_std`` and ``p_chosen`` = sigmoid(strength).

    Null where fewer than ``least_judges`` judged the pair. ``p_chosen`` is the model's word for it, not calibrated.

    Args:
        judges: only these; by default all.
        scale: what a difference of rewards is divided by.
    """
    voices = margins(preferences, judgments, judges, scale).group_by(CELL, maintain_order=True).agg(
        pl.col("margin").mean()
    )  # fmt: skip
    ordered = pl.col("margin").sort()  # by value: the last digit of a sum must not depend on the judges' fingerprints
    found = (
        voices.group_by("pair_id", maintain_order=True)
        .agg(strength=ordered.mean(), strength_std=ordered.std(ddof=0), judges=pl.len())
        .filter(pl.col("judges") >= least_judges)
        .select("pair_id", "strength", "strength_std", p_chosen=1 / (1 + (-pl.col("strength")).exp()))
    )
    return attach(preferences, found)
