"""Every pair of a good completion with a clearly worse one, for samples beside a teacher's answer.

Source: Direct Nash Optimization (arXiv:2404.03715, section 4: positives score 5 or 6 of 6, negatives two lower, one
lower for the student's own positives).

Use it where samples stand beside a teacher's, on a judge's absolute scale. It is bad with reward models, whose scale
has no fixed bar.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from tasks.selectors._candidates import candidates
from tasks.selectors._sets import every, paired


@selector
def over_bar(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    bar: float = 5.0,
    gap: float = 2.0,
    own_gap: float = 1.0,
    teacher: str | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns every pair whose chosen scores at least ``bar`` and whose rejected lies at least the gap lower.

    ``level`` names who beat whom: ``T>S``, ``S>T``, ``S>S``, ``T>T``.

    Args:
        gap: for a chosen answer of the teacher. own_gap: for one of the student, that is of any other policy.
        teacher: the policy whose answers are the teacher's; without one all are the student's.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a gap is not above 0, or it is unclear which scores count.
    """
    if not min(gap, own_gap) > 0:
        raise ValueError(f"gap is {gap} and own_gap {own_gap}; both must be above 0")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    rows = rows.join(completions.select("completion_id", "policy"), on="completion_id", maintain_order="left")
    score, taught = rows["score"].to_numpy(), (rows["policy"] == (teacher or "")).to_numpy()
    needed = np.where(taught, gap, own_gap)
    one, other = every(rows, lambda i, j: (score[i] >= bar) & (score[i] - score[j] >= needed[i]))
    level = pl.Series(["S>S", "S>T", "T>S", "T>T"]).gather(2 * taught[one] + taught[other])
    return paired(rows, one, other, score[one], score[other], criterion=rows["criterion"].gather(one), level=level)
