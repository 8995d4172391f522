"""The best completion of each prompt against the worst.

Source: SimPO's on-policy data (arXiv:2405.14734, section 4) and RLHFlow's online DPO (arXiv:2405.07863, section 3).

Use it as the plain default with a scalar judge. It is bad with a judge that has a quirk: the extremes are where it
shows, the longest or the most flattering text.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from tasks.selectors._candidates import candidates, pairs


@selector
def best_vs_worst(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    min_margin: float = 0.0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt: its highest score chosen, its lowest rejected; ties go to the lowest id.

    Args:
        min_margin: the two scores must lie further apart than this; a tie never makes a pair.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: min_margin is negative, or it is unclear which scores count.
    """
    if not min_margin >= 0:
        raise ValueError(f"min_margin is {min_margin}; it must be 0 or more")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    ends = (
        rows.group_by("group", maintain_order=True)
        .agg(
            best=pl.col("row").get(pl.col("score").arg_max()),
            worst=pl.col("row").get(pl.col("score").arg_min()),
            margin=pl.col("score").max() - pl.col("score").min(),
        )
        .filter(pl.col("margin") > min_margin)
    )
    return pairs(rows, ends["best"], ends["worst"])
