"""The best completion that keeps every constraint against the worst that breaks one.

Source: The Perfect Blend (arXiv:2409.20370, section 4.1.2, CODPO): chosen has the best reward among those that satisfy
all judges, rejected the worst among those that do not.

Use it where some rules must never be broken for a better reward. It is bad where a rule judge is noisy: one false alarm
makes a good text the rejected.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from tasks.selectors._sets import first_of, measured, paired, starts


@selector
def constrained(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    reward: str,
    constraints: dict[str, float],
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt; its chosen may have the lower reward, because it keeps the constraints.

    A prompt all of whose completions break a constraint makes no pair. Where none does, the rejected is the lowest
    reward of all, and a tie makes no pair. ``level`` says which it was: ``constraint`` or ``reward``.

    Args:
        reward: the criterion of the reward.
        constraints: criterion -> the least score that satisfies it; all of them must be satisfied. A completion that
            lacks a score by any of them is no candidate: a judge that failed did not say no.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: no constraint is given, or a criterion was scored by nobody or by several scorers.
    """
    rows = measured(completions, scores, [reward, *constraints], truncated=truncated)
    if not constraints:
        raise ValueError("constraints are empty; best_vs_worst needs none")
    score = rows["c0"].to_numpy()
    kept = np.ones(rows.height, dtype=bool)
    for place, least in enumerate(constraints.values(), start=1):
        kept &= rows[f"c{place}"].to_numpy() >= least
    begin = starts(rows)
    sizes = np.diff(np.r_[begin, rows.height])
    any_broken = np.repeat(np.logical_or.reduceat(~kept, begin), sizes)
    best = first_of(rows, np.where(kept, score, -np.inf), begin)
    worst = first_of(rows, np.where(kept & any_broken, -np.inf, -score), begin)
    real = kept[best] & (~kept[worst] | (score[best] > score[worst]))
    best, worst = best[real], worst[real]
    level = pl.Series(["constraint", "reward"]).gather(kept[worst].astype(np.int64))
    return paired(rows, best, worst, score[best], score[worst], level=level)
