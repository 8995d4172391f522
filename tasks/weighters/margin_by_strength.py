"""Margin by strength: how much better the chosen should be than the rejected, for losses that take a margin.

Source: Touvron et al. 2023, arXiv:2307.09288 (Llama 2), equation 2 (margin ranking loss); Wang et al. 2024,
arXiv:2401.06080 (Secrets of RLHF II), section 2.2.2 (adaptive margin: the mean strength of the pair).

Use it on the strongest pairs, whose loss is nought too soon otherwise. It is bad on pairs of the wrong sign: relabel
those first.
"""

from __future__ import annotations

import math

import polars as pl

from schemas.blocks import weighter


@weighter(scope="dataset")
def margin_by_strength(preferences: pl.DataFrame, *, factor: float = 1.0, strongest: float = 1.0) -> pl.DataFrame:
    """Returns the preferences with ``margin`` = factor * strength, nought for a negative strength, null for none.

    Args:
        factor: of the strength.
        strongest: only this share of the measured pairs, the strongest, gets it; the others keep their margin.
    """
    if not 0 < strongest <= 1:
        raise ValueError(f"strongest is {strongest}, it must lie in (0, 1]")
    if "strength" not in preferences.columns:
        raise ValueError(
            "preferences have no strength; put `weight: strength` or `weight: ensemble_vote` before this one"
        )
    if "margin" not in preferences.columns:
        preferences = preferences.with_columns(margin=pl.lit(None, pl.Float64))
    measured = preferences["strength"].len() - preferences["strength"].null_count()
    known = pl.col("strength").is_not_null()
    ranked = pl.when(known).then(pl.struct(-pl.col("strength"), "pair_id")).rank("ordinal")
    among = ranked <= math.ceil(strongest * measured - 1e-9)
    return preferences.with_columns(
        margin=pl.when(among).then((factor * pl.col("strength")).clip(0.0)).otherwise("margin")
    )
