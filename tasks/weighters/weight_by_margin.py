"""Weight by margin: a pair counts as much as its two scores lie apart.

Source: ScPO (arXiv:2411.04109, section 2.3: the loss times the difference of the vote shares).

Use it where the margin is a share or a probability. It is bad at margins without bounds: set ``highest``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter


@weighter
def weight_by_margin(preferences: pl.DataFrame, *, factor: float = 1.0, highest: float | None = None) -> pl.DataFrame:
    """Returns the preferences with ``weight`` = factor * margin, from 0 to ``highest``; null where there is no margin.

    Raises:
        ValueError: factor is negative.
    """
    if not factor >= 0:
        raise ValueError(f"factor is {factor}; it must be 0 or more")
    return preferences.with_columns(weight=(factor * pl.col("margin")).clip(0.0, highest))
