"""Label noise: takes out as many pairs as are thought to be labelled wrongly, the likeliest ones.

Source: Northcutt et al. 2021, arXiv:1911.00068 (confident learning: prune by noise rate); Wang et al. 2024,
arXiv:2401.06080, section 2.2.

Use it after ``weight: posterior`` or ``strength``, which measure how sure a label is. It is bad where all judges share
a mistake, and it takes hard pairs along with wrong ones.
"""

from __future__ import annotations

from math import erf, sqrt
from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals


@row_filter(scope="dataset")
def label_noise(
    preferences: pl.DataFrame,
    *,
    by: Literal["expected", "confident"] = "expected",
    times: float = 1.0,
    most: float = 0.5,
) -> pl.DataFrame:
    """Returns the removals of the least certain pairs, as many as there are thought to be wrong ones.

    ``p_chosen`` is the probability; where it is null, that of a normal margin of ``strength`` and ``strength_std``;
    pairs with neither stay and do not count. ``value`` is the probability. To turn such pairs round instead, use
    ``relabel: flip_weak`` with ``by: p_chosen``.

    Args:
        by: ``expected`` takes the probabilities at their word: of n pairs of mean probability p, ``n * (1 - p)`` are
            wrong. ``confident`` counts a pair as wrong whose opposite is as probable as labels are on average, which
            forgives probabilities that are all too low or too high.
        times: of that number. most: share of the measured pairs that may go.
    """
    if times < 0 or not 0 <= most <= 1:
        raise ValueError(f"times {times} must not be below 0, and most {most} a share")
    columns = {name: pl.col(name) if name in preferences.columns else pl.lit(None, pl.Float64) for name in _READ}
    rows = preferences.select("pair_id", **columns).with_columns(
        p=pl.coalesce("p_chosen", pl.struct("strength", "strength_std").map_elements(_normal, pl.Float64))
    )
    measured = rows.filter(pl.col("p").is_not_null()).sort("p", "pair_id")
    wrong = times * (_confident(measured["p"]) if by == "confident" else float((1 - measured["p"]).sum()))
    count = min(int(wrong + 1e-9), int(most * measured.height + 1e-9))
    gone = measured.head(count).filter(pl.col("p") < 1)
    return removals(
        gone.select(row_id="pair_id", reason=pl.lit("probably mislabelled"), value=pl.col("p").round(4).cast(pl.String))
    )


def _confident(p: pl.Series) -> float:
    """Returns how many labels the confident joint says are wrong: both labels are one class, seen from either side."""
    threshold = p.cast(pl.Float64).mean()
    if threshold is None:
        return 0.0
    assert isinstance(threshold, float)
    wrong = int(((1 - p >= threshold) & (p < 0.5)).sum())
    right = int(((p >= threshold) & (p >= 0.5)).sum())
    return len(p) * wrong / (wrong + right) if wrong + right else 0.0


_READ = ("p_chosen", "strength", "strength_std")


def _normal(row: dict[str, float | None]) -> float | None:
    mean, spread = row["strength"], row["strength_std"]
    if mean is None or not spread:
        return None
    return 0.5 * (1 + erf(mean / spread / sqrt(2)))
