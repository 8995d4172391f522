"""Pairs at given places of a prompt's reward distribution, such as the best against mu - 2 sigma.

Source: Finding the Sweet Spot (arXiv:2502.16825, section 4: anchors mu + k sigma; section 5: the lowest of five).

Use it with many samples a prompt, where the very worst is broken and teaches little. It is bad with few: mean and
deviation are then noise.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import noted
from tasks.selectors._candidates import candidates, pairs


@selector
def anchored(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    chosen: float | Literal["max"] = "max",
    rejected: float | Literal["min"] = -2.0,
    among: int | None = None,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt: the completions whose scores lie nearest to two anchors.

    An anchor is k standard deviations (population) above the prompt's mean; of equally near ones the lowest id counts.
    No pair where all scores are the same, or where the two anchors meet in one completion or one score. ``meta`` holds
    the mean, the deviation and both anchors.

    Args:
        chosen: k, or the highest score.
        rejected: k, or the lowest score.
        among: reject the lowest of so many drawn at random instead: the paper's rule for any number of samples (5).
        seed: of that draw, which depends on the completion's id alone.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: among is below 1, or it is unclear which scores count.
    """
    if among is not None and among < 1:
        raise ValueError(f"among is {among}; at least one must be drawn")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    rows = rows.with_columns(coin=pl.Series(coins(seed, rows["completion_id"], "anchored"), dtype=pl.Float64))
    low = _place(rejected)
    if among is not None:
        drawn = pl.col("coin").rank("ordinal") <= among
        low = pl.col("row").filter(drawn).get(pl.col("score").filter(drawn).arg_min())
    found = rows.group_by("group", maintain_order=True).agg(
        chosen=_place(chosen), rejected=low, mean=pl.col("score").mean(), sd=pl.col("score").std(ddof=0)
    )
    met = pairs(rows, found["chosen"], found["rejected"])
    met = met.with_columns(found.select("mean", "sd"))  # one pair a prompt, both in the order of prompts
    notes = {"reward_mean": pl.col("mean"), "reward_sd": pl.col("sd"), "anchor_chosen": pl.lit(str(chosen))}
    anchor = pl.lit(f"min of {among}" if among is not None else str(rejected))
    return noted(met, **notes, anchor_rejected=anchor).drop("mean", "sd").filter(pl.col("margin") > 0)


def _place(anchor: float | str) -> pl.Expr:
    score = pl.col("score")
    if anchor == "max":
        return pl.col("row").get(score.arg_max())
    if anchor == "min":
        return pl.col("row").get(score.arg_min())
    return pl.col("row").get((score - (score.mean() + float(anchor) * score.std(ddof=0))).abs().arg_min())
