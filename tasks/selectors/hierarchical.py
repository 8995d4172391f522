"""Pairs decided by the first of several ranked factors that tells the two apart.

Source: HERON (arXiv:2309.02632, section 3: factors by importance, margins of one standard deviation, undecided pairs
are discarded).

Use it where factors have an order and unlike scales: tests before style, safety before help. It is bad where the first
factor is noisy: it then decides all.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from tasks.selectors._sets import Floats, Ints, measured, paired, steps, stretches, widest


@selector(scope="dataset")
def hierarchical(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    factors: list[str],
    tolerances: list[float] | None = None,
    smaller_is_better: list[str] | None = None,
    per_prompt: int | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns every pair of a prompt that a factor decides; ``criterion`` names the factor, ``level`` its place from 1.

    The scores of a pair are the deciding factor's, negated where smaller is better. Being undecided is not transitive,
    so three completions may form two pairs or a longer way round.

    Args:
        factors: criteria, the most important first.
        tolerances: a factor decides only where the two differ by more than so many sample standard deviations of all
            candidates; one number a factor, 0 for any difference; by default 1 each.
        smaller_is_better: which of the factors.
        per_prompt: at most so many pairs a prompt, those with the widest margins among equal factors.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: as many tolerances as factors are needed, none below 0; a factor was scored by nobody.
    """
    wide = [1.0] * len(factors) if tolerances is None else tolerances
    if len(wide) != len(factors) or min(wide, default=0.0) < 0:
        raise ValueError(f"tolerances are {wide} for {len(factors)} factors; one each is needed, 0 or more")
    stray = set(smaller_is_better or ()) - set(factors)
    if stray:
        raise ValueError(f"smaller_is_better names {sorted(stray)}, which are no factors")
    rows = measured(completions, scores, factors, truncated=truncated)
    signs = [-1.0 if factor in (smaller_is_better or ()) else 1.0 for factor in factors]
    values = [rows[f"c{i}"].to_numpy() * sign for i, sign in enumerate(signs)]
    limits = [
        times * float(np.std(each, ddof=1)) if times and len(each) > 1 else 0.0
        for each, times in zip(values, wide, strict=True)
    ]
    parts = []
    for begin, part in stretches(rows):
        own = [each[begin : begin + part.height] for each in values]
        met = [_decided(left, right, own, limits) for left, right in steps(part)]
        one, other, by = (np.concatenate([some[k] for some in met] or [np.empty(0, dtype=np.int64)]) for k in range(3))
        parts.append(_capped(part, one, other, by, own, limits, factors, per_prompt))
    return pl.concat(parts)


def _decided(left: Ints, right: Ints, values: list[Floats], limits: list[float]) -> tuple[Ints, Ints, Ints]:
    """Returns who wins, who loses and by which factor, for the pairs that one decides."""
    winner, by = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.int64)
    for place, (value, limit) in enumerate(zip(values, limits, strict=True)):
        gap = value[left] - value[right]
        clear = (winner == 0) & (np.abs(gap) > limit)
        winner[clear], by[clear] = np.sign(gap[clear]).astype(np.int64), place
    real = winner != 0
    first = winner[real] > 0
    one, other = left[real], right[real]
    return np.where(first, one, other), np.where(first, other, one), by[real]


def _capped(
    rows: pl.DataFrame, one: Ints, other: Ints, by: Ints, values: list[Floats], limits: list[float],
    factors: list[str], per_prompt: int | None,
) -> pl.DataFrame:  # fmt: skip
    table = np.stack(values, axis=1)
    if per_prompt is not None:
        spread = float(np.ptp(table, axis=0).max(initial=0.0)) + 1.0
        rank = table[one, by] - table[other, by] - by * spread  # an earlier factor goes before any margin
        one, other = widest(rows, one, other, rank, per_prompt)
        by = _decided(one, other, values, limits)[2]
    return paired(
        rows, one, other, table[one, by], table[other, by], criterion=pl.Series(factors, dtype=pl.String).gather(by),
        level=pl.Series([str(i + 1) for i in range(len(factors))]).gather(by),
    )  # fmt: skip
