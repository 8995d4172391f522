"""Weight by strength: a strong preference counts for more in the loss.

Source: Wang et al. 2024, arXiv:2410.01257 (HelpSteer2-Preference), equation 2 (scaled Bradley-Terry: the loss times the
strength); Xu et al. 2024, arXiv:2411.04109 (ScPO: the loss times the difference of the vote shares); Zhang et al. 2024,
arXiv:2410.11677 (Ctrl-U: exp(-uncertainty)).

Use it instead of a threshold. It is bad where strength measures length or style: then those are what is weighed.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter


@weighter
def weight_by_strength(
    preferences: pl.DataFrame,
    *,
    by: Literal["strength", "p_chosen", "strength_std"] = "strength",
    lowest: float = 0.0,
    highest: float | None = None,
) -> pl.DataFrame:
    """Returns the preferences with ``weight``: |strength|, |2 p_chosen - 1|, or exp(-strength_std), within bounds.

    Null where the measure is null: what was never measured is not weighed by guess.

    Args:
        lowest, highest: what smaller and larger weights are set to.
    """
    if highest is not None and highest < lowest:
        raise ValueError(f"highest {highest} is below lowest {lowest}")
    if by not in preferences.columns:
        raise ValueError(f"preferences have no {by}; put a weighter that measures it before this one")
    measured = {
        "strength": pl.col(by).abs(), "p_chosen": (2 * pl.col(by) - 1).abs(), "strength_std": (-pl.col(by)).exp(),
    }[by]  # fmt: skip
    return preferences.with_columns(weight=measured.clip(lowest, highest))
