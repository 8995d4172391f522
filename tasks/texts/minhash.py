"""Near-duplicates among many texts: MinHash finds candidates, the true Jaccard similarity decides.

Source: Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4 (banding).

In a bucket each text is held against the lowest one and the one before it, never all against all, so a million texts
of one template cost memory and time in proportion to their number; passes go on until one finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil, log, log1p
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.texts.words import Hashes, Ints, Words, chunks, mixed, shingles, span_hashes, words

Unit: TypeAlias = Literal["words", "characters"]
Bools: TypeAlias = npt.NDArray[np.bool_]

RECALL = 0.99
"""Share of pairs at the threshold that meet in a bucket, by the choice of bands."""
HASHES = 72
EDGES = 50_000
_LOW = np.uint64(44)


class Near(NamedTuple):
    """Texts that are near-duplicates of earlier ones.

    Attributes:
        row: of each, ascending. kept: the earlier text that stays instead. similarity: to the text it was found by,
            which is ``kept`` unless that was in turn found by another.
    """

    row: Ints
    kept: Ints
    similarity: npt.NDArray[np.float64]


def banding(threshold: float) -> tuple[int, int]:
    """Returns bands and rows a band: the longest bands with which pairs at the threshold still meet.

    >>> banding(0.8)
    (12, 5)
    """
    best = (ceil(log(1 - RECALL) / log(1 - threshold)) if threshold < 1 else 1, 1)
    for rows in range(2, HASHES + 1):
        chance = threshold**rows
        bands = 1 if chance >= 1 else ceil(log(1 - RECALL) / log1p(-chance))
        if bands * rows <= HASHES:
            best = (bands, rows)
    return best


def near(texts: pl.Series, *, threshold: float = 0.8, n: int = 3, unit: Unit = "words") -> Near:
    """Returns the texts whose shingles are at least ``threshold`` alike (Jaccard) to those of an earlier text.

    Args:
        texts: the earlier of two near-duplicates stays; a text without words is like no other.
        n: words (or bytes of UTF-8, lower case) a shingle; a text of fewer is one shingle.
    """
    bands, rows = banding(threshold)

    def sets(part: pl.Series) -> tuple[Hashes, Ints]:
        return _shingled(part, n, unit)

    buckets, alive = _buckets(texts, sets, bands, rows)
    found_by = np.full(len(texts), -1, np.int64)
    similarity = np.zeros(len(texts))
    refuted = np.zeros(0, np.uint64)
    before = -1
    while before != (before := int(alive.sum())):
        for band in range(bands):
            edges = _edges(buckets[band], alive)
            edges = edges[~np.isin(_code(edges, len(texts)), refuted)]
            alike = _jaccard(texts, edges, sets)
            true = alike >= threshold
            refuted = np.union1d(refuted, _code(edges[~true], len(texts)))
            _take_out(edges[true], alike[true], alive, found_by, similarity)
    row = np.flatnonzero(found_by >= 0)
    kept = found_by[row]
    while (again := found_by[kept] >= 0).any():
        kept = np.where(again, found_by[kept], kept)
    return Near(row, kept, similarity[row])


def clusters(texts: pl.Series, *, threshold: float, n: int = 3, unit: Unit = "words") -> Ints:
    """Returns for each text the first text of its cluster: near-duplicates, and what a chain of them links."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    bands, rows = banding(threshold)

    def sets(part: pl.Series) -> tuple[Hashes, Ints]:
        return _shingled(part, n, unit)

    buckets, filled = _buckets(texts, sets, bands, rows)
    label = np.arange(len(texts))
    for band in range(bands):
        edges = _edges(buckets[band], filled)
        edges = edges[label[edges[:, 0]] != label[edges[:, 1]]]
        true = edges[_jaccard(texts, edges, sets) >= threshold]
        links = np.concatenate([true, np.stack([np.arange(len(texts)), label], axis=1)])
        graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(len(texts),) * 2)
        _, component = connected_components(graph, directed=False)
        first = np.unique(component, return_index=True)[1]
        label = first[component]
    return label


def _shingled(texts: pl.Series, n: int, unit: Unit) -> tuple[Hashes, Ints]:
    """Returns the shingles of texts, one text after the other, and where each text's begin (one entry more)."""
    found = words(texts) if unit == "words" else _characters(texts)
    hashes, begins = shingles(found, n)
    counts = np.bincount(found.text[begins], minlength=len(texts))
    short = np.flatnonzero((counts == 0) & (np.diff(found.first) > 0))
    if len(short):
        whole = span_hashes(found.hashes, found.first[short], found.first[short + 1])
        places = (np.cumsum(counts) - counts)[short]
        hashes = np.insert(hashes, places, whole)
        counts[short] = 1
    return hashes, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _characters(texts: pl.Series) -> Words:
    low = texts.fill_null("").str.to_lowercase()
    raw = np.frombuffer("".join(low.to_list()).encode(), np.uint8)
    sizes = low.str.len_bytes().to_numpy().astype(np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)])
    places = np.zeros(0, np.int32)
    return Words(mixed(raw.astype(np.uint64) + np.uint64(1)), np.repeat(np.arange(len(texts), dtype=np.int32), sizes),
                 places, places, first)  # fmt: skip


def _buckets(texts: pl.Series, sets: Callable[..., Any], bands: int, rows: int) -> tuple[Hashes, Bools]:
    """Returns for every band each text's bucket, and which texts have any words."""
    random = np.random.default_rng(20_240_817)
    factors = random.integers(0, 2**32, bands * rows, np.uint32) | np.uint32(1)
    masks = random.integers(0, 2**32, bands * rows, np.uint32)
    buckets = np.zeros((bands, len(texts)), np.uint64)
    filled = np.zeros(len(texts), np.bool_)

    def work(span: tuple[int, int]) -> None:
        hashes, first = sets(texts[span[0] : span[1]])
        here = np.flatnonzero(np.diff(first))
        if not len(here):
            return
        low, starts = (hashes >> np.uint64(32)).astype(np.uint32), first[here]
        filled[span[0] + here] = True
        for band in range(bands):
            key = np.zeros(len(here), np.uint64)
            for k in range(band * rows, (band + 1) * rows):
                least = np.minimum.reduceat((low ^ masks[k]) * factors[k], starts)
                key = mixed(key * np.uint64(31) + least)
            buckets[band, span[0] + here] = key

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        list(pool.map(work, chunks(texts)))
    return buckets, filled


def _edges(bucket: Hashes, alive: Bools) -> Ints:
    """Returns (earlier, later) for each text: the first of its bucket, and the one before it."""
    rows = np.flatnonzero(alive)
    order = rows[np.argsort(bucket[rows], kind="stable")]
    keys = bucket[order]
    same = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else same
    heads = order[starts[np.searchsorted(starts, same, side="right") - 1]]
    pairs = np.stack([np.concatenate([heads, order[same - 1]]), np.concatenate([order[same]] * 2)], axis=1)
    return np.unique(pairs, axis=0) if len(pairs) < 1000 else pairs[_first_of(_code(pairs, len(alive)))]


def _first_of(codes: Hashes) -> Ints:
    return np.unique(codes, return_index=True)[1]


def _code(edges: Ints, count: int) -> Hashes:
    return edges[:, 0].astype(np.uint64) * np.uint64(count) + edges[:, 1].astype(np.uint64)


def _jaccard(texts: pl.Series, edges: Ints, sets: Callable[..., Any]) -> npt.NDArray[np.float64]:
    """Returns the true similarity of the shingle sets of each pair of texts."""
    found = np.zeros(len(edges))
    for start in range(0, len(edges), EDGES):
        part = edges[start : start + EDGES]
        rows, local = np.unique(part, return_inverse=True)
        local = local.reshape(part.shape)
        hashes, first = sets(texts.gather(rows))
        owner = np.repeat(np.arange(len(rows), dtype=np.uint64), np.diff(first)) << _LOW
        keys = np.unique(owner | (hashes >> np.uint64(20)))
        bounds = np.searchsorted(keys, np.arange(len(rows) + 1, dtype=np.uint64) << _LOW)
        sizes = np.diff(bounds)
        left, right = local[:, 0], local[:, 1]
        counts = sizes[left]
        pair = np.repeat(np.arange(len(part)), counts)
        inner = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        wanted = keys[bounds[left][pair] + inner] & np.uint64((1 << 44) - 1) | right[pair].astype(np.uint64) << _LOW
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        both = np.bincount(pair, weights=keys[place] == wanted, minlength=len(part))
        found[start : start + EDGES] = both / (sizes[left] + sizes[right] - both)
    return found


def _take_out(edges: Ints, alike: Any, alive: Bools, found_by: Ints, similarity: Any) -> None:
    """Takes out every text with a near-duplicate that stays, the earlier first, and notes which and how alike."""
    open_, kept = edges, alive.copy()
    kept[edges[:, 1]] = False
    while len(open_):
        hit = kept[open_[:, 0]]
        later, place = np.unique(open_[hit, 1], return_index=True)
        found_by[later], similarity[later], alive[later] = open_[hit, 0][place], alike[hit][place], False
        rest = alive[open_[:, 1]] & alive[open_[:, 0]]
        left = open_[rest]
        waits = np.zeros(len(alive), np.bool_)
        waits[left[:, 1]] = True
        kept[open_[:, 1]] = alive[open_[:, 1]] & ~waits[open_[:, 1]]
        open_, alike = left, alike[rest]
