"""Most similar: the mean of the few margins that agree best, and how far those still differ.

Source: Wang et al. 2024, arXiv:2410.01257 (HelpSteer2-Preference), section 3.1: of three to five annotations the three
most similar are averaged and rounded; a range above 2 or a mean of nought drops the pair.

Use it with several annotators of whom one may have slipped. It is bad at two-sided disputes: it keeps one side.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from tasks.weighters._margins import CELL, attach, margins


@weighter
def most_similar(
    preferences: pl.DataFrame,
    judgments: pl.DataFrame,
    *,
    keep: int = 3,
    judges: list[str] | None = None,
    scale: float = 1.0,
) -> pl.DataFrame:
    """Returns the preferences with ``strength`` and ``strength_std`` of the ``keep`` margins that differ least.

    ``strength_std`` is half their range (drop above 1 for the paper's rule). Of equally wide choices the mean of all
    counts, so that swapping a pair negates its strength. Null where fewer than ``keep`` judged the pair.

    Args:
        keep: how many margins to keep, each the mean of one judge's.
        judges: only these; by default all.
        scale: what a rating difference of 1 margin is.
    """
    voices = margins(preferences, judgments, judges, scale).group_by(CELL, maintain_order=True).agg(
        pl.col("margin").mean()
    )  # fmt: skip
    rows = [
        (pair, *_closest(sorted(values), keep))
        for pair, values in voices.group_by("pair_id", maintain_order=True).agg("margin").iter_rows()
        if len(values) >= keep
    ]
    kinds = {"pair_id": pl.String, "strength": pl.Float64, "strength_std": pl.Float64}
    return attach(preferences, pl.DataFrame(rows, kinds, orient="row"))


def _closest(values: list[float], keep: int) -> tuple[float, float]:
    """Returns the mean and half the range of the narrowest run of sorted values; equally narrow ones are averaged."""
    runs = [values[start : start + keep] for start in range(len(values) - keep + 1)]
    width = min(run[-1] - run[0] for run in runs)
    means = [sum(run) / keep for run in runs if run[-1] - run[0] <= width + 1e-12]
    return sum(means) / len(means), width / 2
