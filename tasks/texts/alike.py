"""Vectors that are nearly the same as earlier ones: exact for thousands, within clusters for hundreds of thousands.

Source: SemDeDup (Abbas et al. 2023, arXiv:2303.09540: k-means first, then cosines within a cluster); k-means++ (Arthur
and Vassilvitskii 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tasks.texts.minhash import Near
from tasks.texts.vectors import SEED, Floats
from tasks.texts.words import Ints

EXACT = 20_000
"""Up to so many rows each is held against each."""
CLUSTER, SAMPLE, BLOCK = 4_000, 40_000, 1_024


def alike(
    rows: Floats, *, threshold: float, surely: Callable[[Ints, Ints], Any] | None = None, slack: float = 0.0
) -> Near:
    """Returns the rows whose cosine to an earlier row that stays is at least ``threshold``.

    Args:
        rows: of length 1; rows of zeros are like no other.
        surely: gives the true similarity of pairs of rows; ``rows`` are then only a first guess, and pairs that it puts
            ``slack`` below the threshold are still looked at.
    """
    one, two, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for members in _clusters(rows):
        for left, right, cosine in _pairs(rows, members, threshold - slack):
            similar = cosine if surely is None else np.asarray(surely(left, right))
            near = similar >= threshold
            one.append(left[near])
            two.append(right[near])
            found.append(similar[near])
    return _taken(np.concatenate(one), np.concatenate(two), np.concatenate(found), len(rows))


def _pairs(rows: Floats, members: Ints, threshold: float) -> Iterator[tuple[Ints, Ints, Any]]:
    """Yields earlier row, later row and cosine of the pairs among these rows (ascending) that reach the threshold."""
    for start in range(0, len(members), BLOCK):
        block = members[start : start + BLOCK]
        cosine = rows[block] @ rows[members[: start + len(block)]].T
        later, earlier = np.nonzero(cosine >= threshold)
        before = earlier < later + start
        later, earlier = later[before], earlier[before]
        yield members[earlier], block[later], cosine[later, earlier].astype(np.float64)


def _taken(one: Ints, two: Ints, similar: Any, count: int) -> Near:
    """Returns which rows go when each goes for the nearest of the earlier ones that stay."""
    order = np.lexsort((one, -similar, two))
    kept_by = np.full(count, -1, np.int64)
    alike_to = np.zeros(count)
    for earlier, later, cosine in zip(one[order].tolist(), two[order].tolist(), similar[order].tolist(), strict=True):
        if kept_by[later] < 0 and kept_by[earlier] < 0:  # the later rows come last, so what an earlier does is known
            kept_by[later], alike_to[later] = earlier, cosine
    row = np.flatnonzero(kept_by >= 0)
    return Near(row, kept_by[row], alike_to[row])


def _clusters(rows: Floats) -> Iterator[Ints]:
    """Yields ascending row numbers, each row in the two clusters nearest to it; all in one where they are few."""
    if len(rows) <= EXACT:
        yield np.arange(len(rows))
        return
    middle = centres(rows, len(rows) // CLUSTER + 1)
    nearest = np.empty((len(rows), 2), np.int64)
    for start in range(0, len(rows), BLOCK * 8):
        cosine = rows[start : start + BLOCK * 8] @ middle.T
        nearest[start : start + len(cosine)] = np.argpartition(-cosine, 1, axis=1)[:, :2]
    order = np.argsort(nearest.T.ravel(), kind="stable")
    places, names = order % len(rows), nearest.T.ravel()[order]
    for part in np.split(places, np.flatnonzero(np.diff(names)) + 1):
        yield np.sort(part)


def centres(rows: Floats, count: int, rounds: int = 8) -> Floats:
    """Returns the means of k-means on a sample, by cosine; far ones are likelier to start with (k-means++)."""
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    random = np.random.default_rng(SEED)
    sample = rows[random.choice(len(rows), min(SAMPLE, len(rows)), replace=False)]
    found = np.zeros((count, rows.shape[1]), np.float32)
    apart, places = np.ones(len(sample)), np.arange(len(sample))
    for place in range(count):
        found[place] = sample[random.choice(len(sample), p=apart / apart.sum())]
        apart = np.minimum(apart, np.maximum(1 - sample @ found[place], 1e-9))
    for _ in range(rounds):
        own = (sample @ found.T).argmax(axis=1)
        member = csr_array((np.ones(len(sample), np.float32), (own, places)), shape=(count, len(sample)))
        total = member @ sample  # the sums that np.add.at makes in ten times as long
        length = np.linalg.norm(total, axis=1, keepdims=True)
        found = np.where(length > 0, total / np.maximum(length, 1e-12), found).astype(np.float32)
    return found
