"""Pairs whose chosen is at least as good by every criterion and better by one: the Pareto order.

Source: Order-Preserving GFlowNets (arXiv:2310.00386, section 3: x above y where x Pareto-dominates y); AdaCoT
(arXiv:2505.11896, section 3.1: performance against the cost of thinking).

Use it where no criterion may be traded for another. It is bad with many criteria: hardly any pair is left, and those
are the easy ones.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._sets import every, measured, paired, widest


@selector
def dominating(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: list[str],
    smaller_is_better: list[str] | None = None,
    per_prompt: int | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns every pair of a prompt in Pareto order; completions of which each is better at something make none.

    ``margin`` is the sum of the differences, which weighs the criteria by their scales; ``meta`` holds each.

    Args:
        criteria: two or more. smaller_is_better: which of them.
        per_prompt: at most so many pairs a prompt, those with the widest margins.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: fewer than two criteria, or one that was scored by nobody or by several scorers.
    """
    down = smaller_is_better or []
    if len(criteria) < 2 or not set(down) <= set(criteria):
        raise ValueError(f"criteria are {criteria}, smaller_is_better {down}; two or more, and the latter among them")
    rows = measured(completions, scores, criteria, truncated=truncated)
    signs = [-1.0 if name in down else 1.0 for name in criteria]
    table = np.stack([rows[f"c{i}"].to_numpy() * sign for i, sign in enumerate(signs)], axis=1)
    one, other = every(
        rows, lambda i, j: (table[i] >= table[j]).all(axis=1) & (table[i] > table[j]).any(axis=1)
    )  # fmt: skip
    one, other = widest(rows, one, other, (table[one] - table[other]).sum(axis=1), per_prompt)
    gaps = table[one] - table[other]
    columns = {f"gap{i}": gaps[:, i] for i in range(len(criteria))}
    found = paired(rows, one, other, margin=gaps.sum(axis=1), **columns)
    each = pl.struct(pl.col(f"gap{i}").alias(name) for i, name in enumerate(criteria))
    return noted(found, gaps=each).drop(columns)
