"""Whether pairs at hand are like the items a judge was audited on: by length, texts, tasks, and how the judges answer.

Source: Rabanser et al. 2019, arXiv:1810.11953 (two-sample tests before a model is trusted elsewhere); Hotelling 1931
(difference of means in units of the covariance), with its null by permutation; Lopez-Paz and Oquab 2017,
arXiv:1610.06545.

What is compared are prompts, not pairs: pairs of one prompt are alike anyway, and would make any split look shifted.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAST, MOST = 20, 1000
"""Prompts that each side needs before anything can be said, and that are looked at."""

_PERMUTATIONS, _RIDGE, _KNOWN = 400, 0.1, 0.8


class Sample(NamedTuple):
    """Pairs as rows of numbers; NaN where one is not known.

    Args:
        prompts: of each pair. numbers: name of a group of numbers -> (pairs x numbers) of any sign.
        falling: name -> (pairs x numbers) of which only a fall is a shift. tasks: of each pair, null where unknown.
    """

    prompts: Sequence[str]
    numbers: dict[str, Floats]
    falling: dict[str, Floats]
    tasks: Sequence[str | None]


def reasons(
    audited: Sample, here: Sample, *, level: float = 0.02, least: float = 0.6, strange: float = 0.1
) -> list[str]:
    """Returns the names of what tells the pairs at hand from the audited ones; none where nothing does.

    Args:
        level: chance of any name where there is no shift. least: how often a pair at hand must be told from an audited
            one by that alone, from 1/2; what is proven but smaller does not count.
        strange: share of the pairs at hand with a task that was never audited, from which ``task`` is named.
    """
    tests = {**{name: _told for name in audited.numbers}, **{name: _fallen for name in audited.falling}}
    found = []
    for name, test in tests.items():
        sides = [(each.numbers | each.falling)[name] for each in (audited, here)]
        one, other = (_by_prompt(side, each.prompts) for side, each in zip(sides, (audited, here), strict=True))
        columns = _shared(one, other)
        if not len(columns):
            continue
        chance, clearly = test(_filled(one[:, columns]), _filled(other[:, columns]))
        if chance < level / len(tests) and clearly >= least:
            found.append(name)
    known = [task for task in here.tasks if task is not None]
    audited_tasks = {task for task in audited.tasks if task is not None}
    if known and audited_tasks and np.mean([task not in audited_tasks for task in known]) > strange:
        found.append("task")
    return found


def _by_prompt(numbers: Floats, prompts: Sequence[str]) -> Floats:
    """Returns the means over the pairs of each prompt, of at most so many prompts."""
    order = sorted(set(prompts), key=lambda name: (zlib.crc32(name.encode()), name))
    places = {name: index for index, name in enumerate(order)}
    place = np.array([places[name] for name in prompts], dtype=np.int64)
    kept = place < MOST
    place, numbers = place[kept], numbers[kept]
    size = int(place.max(initial=-1)) + 1
    known = np.isfinite(numbers)
    total, count = (np.zeros((size, numbers.shape[1])) for _ in range(2))
    np.add.at(total, place, np.where(known, numbers, 0.0))
    np.add.at(count, place, known)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)


def _shared(one: Floats, other: Floats) -> npt.NDArray[np.int64]:
    """Returns the columns that are mostly known on both sides, none where a side has too few prompts."""
    if min(len(one), len(other)) < LEAST:
        return np.empty(0, dtype=np.int64)
    known = np.all([np.isfinite(side).mean(axis=0) >= _KNOWN for side in (one, other)], axis=0)
    spread = np.nanstd(np.concatenate([one, other])[:, known], axis=0)
    columns: npt.NDArray[np.int64] = np.flatnonzero(known)[spread > 1e-9]
    return columns


def _filled(side: Floats) -> Floats:
    return np.where(np.isfinite(side), side, np.nanmean(side, axis=0))


def _told(one: Floats, other: Floats) -> tuple[float, float]:
    """Returns the chance of so large a difference of means without a shift, and how often it tells a pair's side."""
    from scipy.stats import gamma, norm  # type: ignore[import-untyped]

    rows = np.concatenate([one, other])
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    rows = rows @ (vectors / np.sqrt(np.maximum(values, 0.0) + _RIDGE))
    side = np.r_[np.zeros(len(one)), np.ones(len(other))]
    share = len(other) / len(rows)
    draws = np.random.default_rng(0).permuted(np.tile(side, (_PERMUTATIONS, 1)), axis=1)
    sizes = _distances(np.vstack([side, draws]), rows, share)
    null = sizes[1:]
    mean, variance = float(null.mean()), float(null.var()) + 1e-12
    chance = float(gamma.sf(sizes[0], mean**2 / variance, scale=variance / mean))
    beyond = max(0.0, float(sizes[0]) - mean)
    within = beyond / max(1e-9, 1 - share * (1 - share) * beyond)
    return chance, float(norm.cdf(np.sqrt(within / 2)))


def _distances(sides: Floats, rows: Floats, share: float) -> Floats:
    """Returns the squared distance of the means of both sides, for each way of calling the rows one or the other."""
    means = sides @ rows / (len(rows) * share) - (1 - sides) @ rows / (len(rows) * (1 - share))
    return np.asarray((means**2).sum(axis=1))


def _fallen(one: Floats, other: Floats) -> tuple[float, float]:
    """Returns the chance of so deep a fall of any number without a shift, and how often the deepest tells a side."""
    from scipy.stats import norm

    gap = one.mean(axis=0) - other.mean(axis=0)
    error = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other)) + 1e-9
    spread = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2) + 1e-9
    deepest = int(np.argmax(gap / error))
    chance = min(1.0, float(norm.sf(gap[deepest] / error[deepest])) * len(gap))
    return chance, float(norm.cdf(gap[deepest] / spread[deepest] / np.sqrt(2)))
