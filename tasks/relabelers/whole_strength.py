"""Whole strength: rounds the strength of a preference to whole steps, and turns round what comes out negative.

Source: HelpSteer2-Preference (arXiv:2410.01257, section 3.1: the mean of the three most similar annotations, rounded).

Use it where annotators answered in steps. It is bad for judges on a fine scale: rounding throws the scale away.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import relabeler
from tasks.relabelers._swap import swapped


@relabeler
def whole_strength(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns the preferences with ``strength`` a whole number, 0 or more; null stays null, 0 is undecided.

    Raises:
        ValueError: nothing measured the strength.
    """
    if "strength" not in preferences.columns:
        raise ValueError("preferences have no strength; put `weight: most_similar` before this one")
    size = (pl.col("strength").abs() + 0.5).floor()
    rounded = preferences.with_columns(strength=pl.col("strength").sign() * size)
    turned = swapped(rounded, pl.col("strength") < 0)
    return turned.with_columns(strength=pl.col("strength").abs())
