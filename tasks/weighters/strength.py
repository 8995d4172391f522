"""Strength: the mean margin of a pair over judges, orders and repeats, and how much they differ.

Source: Wang et al. 2024, arXiv:2401.06080 (Secrets of RLHF II), section 2.1, equations 2 and 3: mean and standard
deviation of a pair's margins measure its strength and how sure that is.

Use it to sort pairs before dropping, flipping or weighing them. It is bad at judges on unlike scales and takes every
judge to be as good as any other: see ``posterior``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from tasks.weighters._margins import attach, margins


@weighter
def strength(
    preferences: pl.DataFrame, judgments: pl.DataFrame, *, judges: list[str] | None = None, scale: float = 1.0
) -> pl.DataFrame:
    """Returns the preferences with ``strength`` (mean margin) and ``strength_std`` (population), null where unjudged.

    A verdict is a margin of 1, 0 or -1, so that verdicts alone give a strength in [-1, 1]; two ratings give their
    difference over ``scale``. Negative means that the judges prefer the rejected. Swapping chosen and rejected negates
    the strength.

    Args:
        judges: only these; by default all.
        scale: what a rating difference of 1 margin is, e.g. 9 on a scale from 1 to 10.
    """
    said = margins(preferences, judgments, judges, scale)
    ordered = pl.col("margin").sort()  # by value: the last digit of a sum must not depend on the judges' fingerprints
    found = said.group_by("pair_id", maintain_order=True).agg(strength=ordered.mean(), strength_std=ordered.std(ddof=0))
    return attach(preferences, found)
