"""Soften: gives unsure pairs a soft label instead of certainty.

Source: Wang et al. 2024, arXiv:2401.06080 (Secrets of RLHF II), section 2.2: soft labels sigmoid(strength) and label
smoothing for the pairs between the weakest and the rest; Mitchell 2023, note on conservative DPO (label smoothing).

Use it for losses that take P(chosen better). It is bad for trainers that ignore the column: weigh or drop there.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import relabeler


@relabeler(scope="dataset")
def soften(
    preferences: pl.DataFrame,
    *,
    to: Literal["sigmoid", "smoothed"] = "sigmoid",
    temperature: float = 1.0,
    smoothing: float = 0.1,
    weaker: float = 0.0,
    stronger: float = 1.0,
) -> pl.DataFrame:
    """Returns the preferences with ``p_chosen`` set within a band of strength; outside it stays as it is.

    Unmeasured pairs are in no band; a null is a hard label. A pair may come out below 1/2: flip it, or leave it to
    the loss.

    Args:
        to: ``sigmoid(strength / temperature)``, or ``1 - smoothing``. The ``posterior`` weighter sets it too.
        weaker, stronger: the band, as shares of the measured pairs from the weakest on (the paper softens 0.2 to 0.4,
            having flipped the first fifth, and again 0.9 to 1); by default all.
    """
    if not 0 <= weaker < stronger <= 1 or temperature <= 0 or not 0 <= smoothing < 0.5:
        raise ValueError(
            f"the band {weaker} to {stronger} must lie in [0, 1], temperature {temperature} above 0, smoothing "
            f"{smoothing} in [0, 0.5)"
        )
    if "strength" not in preferences.columns:
        raise ValueError(
            "preferences have no strength; put `weight: strength` or `weight: ensemble_vote` before this one"
        )
    if "p_chosen" not in preferences.columns:
        preferences = preferences.with_columns(p_chosen=pl.lit(None, pl.Float64))
    measured = len(preferences) - preferences["strength"].null_count()
    ranked = pl.when(pl.col("strength").is_not_null()).then(pl.struct("strength", "pair_id")).rank("ordinal")
    place = (ranked.cast(pl.Float64) - 1) / max(measured, 1)
    sigmoid = 1 / (1 + (-pl.col("strength") / temperature).exp())
    soft = sigmoid if to == "sigmoid" else pl.lit(1 - smoothing)
    band = (place >= weaker - 1e-12) & (place < stronger - 1e-12)
    return preferences.with_columns(p_chosen=pl.when(band).then(soft).otherwise("p_chosen"))
