"""Flip: turns round the pairs whose measured strength says that the rejected is better.

Source: Wang et al. 2024, arXiv:2401.06080 (Secrets of RLHF II), section 2.2: flipping the bottom fifth by mean
strength helps, training on the bottom tenth as it is hurts.

Use it where the labels are noisier than the judges. It is bad where the judges share a bias that the labels do not.
"""

from __future__ import annotations

import math
from typing import Literal

import polars as pl

from schemas.blocks import relabeler
from tasks.relabelers._swap import swapped


@relabeler(scope="dataset")
def flip_weak(
    preferences: pl.DataFrame,
    *,
    by: Literal["strength", "p_chosen"] = "strength",
    below: float | None = None,
    weakest: float | None = None,
) -> pl.DataFrame:
    """Returns the preferences, the weak ones turned round and ``flipped``; unmeasured ones stay as they are.

    Turning round negates margin and strength, makes p_chosen 1 - p_chosen, and swaps every chosen_ and rejected_
    column; a row flipped twice is as it was.

    Args:
        below: flip where the measure is below this; by default 0 for strength and 1/2 for p_chosen.
        weakest: flip this share of the measured pairs instead, the weakest (the paper: 0.2); ties by pair_id.
    """
    if by not in preferences.columns:
        raise ValueError(f"preferences have no {by}; put a weighter that measures it before this one")
    if weakest is None:
        limit = below if below is not None else (0.0 if by == "strength" else 0.5)
        return swapped(preferences, pl.col(by) < limit)
    if below is not None or not 0 <= weakest <= 1:
        raise ValueError(f"give either below or weakest, and weakest in [0, 1]; found {below} and {weakest}")
    measured = len(preferences) - preferences[by].null_count()
    ranked = pl.when(pl.col(by).is_not_null()).then(pl.struct(by, "pair_id")).rank("ordinal")
    return swapped(preferences, ranked <= math.floor(weakest * measured + 1e-9))
