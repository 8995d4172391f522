"""Rates with intervals, chance-corrected agreement and calibration, on plain arrays.

Source: Wilson 1927 (interval of a share); Cohen 1960 (kappa); Krippendorff 2011 (alpha); Davison and Hinkley 1997,
section 3.8 (resampling whole clusters); Guo et al. 2017, arXiv:1706.04599, section 2 (expected calibration error);
Kumar et al. 2019, arXiv:1909.10155, section 4 (taking the sampling noise out of a squared calibration error).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Z95 = 1.959963984540054
RESAMPLES = 1000
_CHUNK = 8_000_000


class Rate(NamedTuple):
    """A number with its 95 % interval, and how many cases it rests on. Null where nothing could be counted."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        """As it is printed in a table: ``65.6 % (63.2-67.8, n=1629)``."""
        if self.value is None or self.low is None or self.high is None:
            return f"– (n={self.n})"
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f}-{100 * self.high:.1f}, n={self.n})"


NOTHING = Rate(None, None, None, 0)


def wilson(hits: float, n: int) -> Rate:
    """Returns a share with its 95 % Wilson interval; ``NOTHING`` where n is 0.

    >>> str(wilson(7, 10))
    '70.0 % (39.7-89.2, n=10)'
    """
    if n == 0:
        return NOTHING
    share, squared = hits / n, Z95**2
    centre = (share + squared / (2 * n)) / (1 + squared / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + squared / (4 * n * n)) / (1 + squared / n)
    return Rate(share, max(0.0, centre - half), min(1.0, centre + half), n)


def confusion(left: Sequence[str], right: Sequence[str], labels: Sequence[str]) -> Floats:
    """Returns how often each pair of labels met: rows are the left labels, columns the right ones."""
    place = {label: index for index, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)))
    np.add.at(table, ([place[label] for label in left], [place[label] for label in right]), 1)
    return table


def kappa_of(table: Floats) -> Floats:
    """Returns Cohen's kappa of one confusion table or a stack of them; NaN where chance alone would agree always.

    >>> float(kappa_of(np.array([[4.0, 1.0], [1.0, 4.0]])).round(3))
    0.6
    """
    total = table.sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(table, axis1=-2, axis2=-1) / total
        expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total**2
        kappa = (observed - expected) / (1 - expected)
    return np.asarray(np.where(np.isclose(expected, 1), np.nan, kappa))


def kappa(left: Sequence[str], right: Sequence[str], clusters: Sequence[str] | None = None, *, seed: int = 0) -> Rate:
    """Returns Cohen's kappa of two labellings with a bootstrap interval that resamples whole clusters.

    Args:
        left, right: the labels, aligned; any words.
        clusters: what hangs together (the item, where it was judged more than once); by default each case on its own.
    """
    if not left:
        return NOTHING
    labels = sorted({*left, *right})
    cells = np.array([labels.index(a) * len(labels) + labels.index(b) for a, b in zip(left, right, strict=True)])
    whole = kappa_of(confusion(left, right, labels))
    counts = _by_cluster(cells, len(labels) ** 2, clusters)
    shape = (-1, len(labels), len(labels))
    return interval(float(whole), resample(counts, lambda table: kappa_of(table.reshape(shape)), seed=seed), len(left))


def _by_cluster(cells: Ints, width: int, clusters: Sequence[str] | None) -> Floats:
    if clusters is None:
        return np.eye(width)[cells]
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    counts = np.zeros((int(index.max()) + 1, width))
    np.add.at(counts, (index, cells), 1)
    return counts


def resample(counts: Floats, statistic: Callable[[Floats], Floats], *, seed: int, times: int = RESAMPLES) -> Floats:
    """Returns the statistic of bootstrap samples of the rows of ``counts``; it is given (samples x columns) sums.

    Rows that are equal are drawn together, so that a million items cost no more than their distinct rows.
    """
    distinct, multiplicity = np.unique(counts, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    n = len(counts)
    step = max(1, _CHUNK // max(1, len(distinct)))
    parts = [
        generator.multinomial(n, multiplicity / n, size=min(step, times - start)) @ distinct
        for start in range(0, times, step)
    ]
    return statistic(np.concatenate(parts))


def interval(value: float, samples: Floats, n: int) -> Rate:
    """Returns a number with the span that 95 % of its bootstrap samples lie in."""
    if math.isnan(value):
        return Rate(None, None, None, n)
    finite = samples[np.isfinite(samples)]
    if not len(finite):
        return Rate(value, None, None, n)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Rate(value, float(low), float(high), n)


def alpha(ratings: Sequence[tuple[str, str, str]]) -> float | None:
    """Returns Krippendorff's nominal alpha of (item, annotator, label) rows; null where it is not defined."""
    import krippendorff

    items = {item: place for place, item in enumerate(dict.fromkeys(item for item, _, _ in ratings))}
    labels = sorted({label for _, _, label in ratings})
    counts = np.zeros((len(items), len(labels)))
    for item, _, label in ratings:
        counts[items[item], labels.index(label)] += 1
    counts = counts[counts.sum(axis=1) >= 2]
    if (counts.sum(axis=0) > 0).sum() < 2:
        return None
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


class Bin(NamedTuple):
    """One point of a calibration curve: what was claimed, what came true, how many cases."""

    claimed: float
    found: Rate


class Calibration(NamedTuple):
    """How far claimed probabilities are from what came true.

    Args:
        error: expected calibration error, with a bootstrap interval. Small samples make it too large on average.
        corrected: the square root of what is left of the squared error once sampling noise is taken out.
        brier: mean squared error of the probabilities. curve: one point a bin.
    """

    error: Rate
    corrected: float | None
    brier: float | None
    curve: tuple[Bin, ...]


def calibration(
    claimed: Floats, came_true: Floats, clusters: Sequence[str] | None = None, *, bins: int = 10, seed: int = 0
) -> Calibration:
    """Returns the calibration of probabilities against what came true (0, 1, or 1/2 for a tie).

    The bins are equally wide, as in the source; those without a case are left out.
    """
    if not len(claimed):
        return Calibration(NOTHING, None, None, ())
    index = np.unique(np.minimum((claimed.round(9) * bins).astype(np.int64), bins - 1), return_inverse=True)[1]
    count = int(index.max()) + 1
    groups = np.arange(len(claimed)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    per_cluster = np.zeros((int(groups.max()) + 1, 2 * count))
    np.add.at(per_cluster, (groups, index), 1)
    np.add.at(per_cluster, (groups, count + index), claimed - came_true)

    def expected_error(sums: Floats) -> Floats:
        return np.asarray(np.abs(sums[:, count:]).sum(axis=1) / sums[:, :count].sum(axis=1))

    sums = per_cluster.sum(axis=0)
    error = interval(
        float(np.abs(sums[count:]).sum() / sums[:count].sum()),
        resample(per_cluster, expected_error, seed=seed),
        len(claimed),
    )
    curve = tuple(
        Bin(float(claimed[index == b].mean()), wilson(float(came_true[index == b].sum()), int((index == b).sum())))
        for b in range(count)
    )
    return Calibration(error, _corrected(index, claimed - came_true), float(np.mean((claimed - came_true) ** 2)), curve)


def _corrected(index: Ints, misses: Floats) -> float | None:
    """Returns the root of the squared calibration error less its sampling noise; null without two cases in any bin."""
    total, counted = 0.0, 0
    for b in range(int(index.max()) + 1):
        inside = misses[index == b]
        if len(inside) >= 2:
            counted += len(inside)
            total += len(inside) * (inside.mean() ** 2 - inside.var(ddof=1) / len(inside))
    return math.sqrt(max(0.0, total / counted)) if counted else None
