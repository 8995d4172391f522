"""Every pair whose chosen is right and has the higher reward; the rejected may be right too.

Source: MAPO (arXiv:2401.06838, section 3.1 and its data script: sorted by alignment reward, kept where the higher one
is numerically correct).

Use it where being right comes first and a softer reward orders the rest. It is bad where few answers are right: prompts
without one give nothing.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from tasks.selectors._sets import every, measured, paired, widest


@selector
def right_and_better(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    right: str,
    better: str,
    threshold: float = 0.5,
    min_margin: float = 0.0,
    per_prompt: int | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns every pair of a prompt whose chosen scores above ``threshold`` by one criterion and higher by the other.

    The pair's scores are those by ``better``. A wrong completion is never chosen, whatever its reward.

    Args:
        right: criterion of correctness. better: criterion of the reward; equal rewards make no pair.
        min_margin: the rewards must lie further apart than this.
        per_prompt: at most so many pairs a prompt, those with the widest margins.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: min_margin is negative, or a criterion was scored by nobody or by several scorers.
    """
    if not min_margin >= 0:
        raise ValueError(f"min_margin is {min_margin}; it must be 0 or more")
    rows = measured(completions, scores, [right, better], truncated=truncated)
    correct, score = (rows["c0"] > threshold).to_numpy(), rows["c1"].to_numpy()
    one, other = every(rows, lambda i, j: correct[i] & (score[i] - score[j] > min_margin))
    one, other = widest(rows, one, other, score[one] - score[other], per_prompt)
    return paired(rows, one, other, score[one], score[other], criterion=pl.Series([better]).gather([0] * len(one)))
