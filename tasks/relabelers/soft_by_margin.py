"""Soft by margin: the label's probability from the gap of the scores, turned round where it speaks for the rejected.

Source: MMPO (arXiv:2410.03145, section 3.2: p = sigmoid(beta * (score_chosen - score_rejected)); a missing score is a
hard label).

Use it where scores are finer than the label. It is bad at scores whose size means nothing.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import relabeler
from tasks.relabelers._swap import swapped


@relabeler
def soft_by_margin(preferences: pl.DataFrame, *, scale: float = 1.0) -> pl.DataFrame:
    """Returns the preferences with ``p_chosen`` = sigmoid(scale * margin), at least 1/2: pairs below are turned round.

    Without a margin the label is hard: 1.

    Args:
        scale: beta, per unit of the score.

    Raises:
        ValueError: scale is not above 0.
    """
    if not scale > 0:
        raise ValueError(f"scale is {scale}; it must be above 0")
    soft = (1 / (1 + (-scale * pl.col("margin")).exp())).fill_null(1.0)
    return swapped(preferences.with_columns(p_chosen=soft), pl.col("margin") < 0)
