"""The best completion of each prompt against one drawn from those that score lower.

Source: Tulu 3 (arXiv:2411.15124, section 5.1: chosen is the highest mean rating, rejected any that is strictly lower);
UltraFeedback as binarised by Zephyr (arXiv:2310.16944, section 4).

Use it where the worst is too easy to tell. It is bad at margins: many of the drawn ones are nearly as good as the best,
and a noisy judge then mislabels them.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from tasks.selectors._candidates import candidates, pairs


@selector
def best_vs_random(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    min_margin: float = 0.0,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt: its highest score (ties: lowest id) over one drawn evenly from the lower ones.

    Args:
        min_margin: what is drawn lies further below the best than this; a tie with the best is never drawn.
        seed: of the draw, which depends on the completion's id alone.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: min_margin is negative, or it is unclear which scores count.
    """
    if not min_margin >= 0:
        raise ValueError(f"min_margin is {min_margin}; it must be 0 or more")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    top = pl.col("score").max().over("group")
    lower = rows.filter(top - pl.col("score") > min_margin)
    lower = lower.with_columns(coin=pl.Series(coins(seed, lower["completion_id"], "best_vs_random"), dtype=pl.Float64))
    drawn = lower.group_by("group", maintain_order=True).agg(other=pl.col("row").get(pl.col("coin").arg_min()))
    best = rows.filter(pl.col("score") == top).group_by("group", maintain_order=True).agg(best=pl.col("row").first())
    met = drawn.join(best, on="group").sort("group")
    return pairs(rows, met["best"], met["other"])
