"""Runs of words that texts share with the items of a list.

Source: Brown et al. 2020, arXiv:2005.14165, appendix C (13-grams); Lambert et al. 2024, arXiv:2411.15124, section 3.2
(share of an item's words that lie in common 8-grams).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.texts.words import Hashes, Ints, Words, chunks, shingles, span_hashes, words

BITS = 24
FEWEST = 5
"""Items of fewer words are found only where a text is that item and nothing else: they occur everywhere."""


class Grams(NamedTuple):
    """The hashes of a list's runs of ``n`` words, in order, and the item and word of each one's first place."""

    n: int
    hashes: Hashes
    item: npt.NDArray[np.int32]
    seen: npt.NDArray[np.bool_]


class Index(NamedTuple):
    """A list of items, ready to be looked for: runs of words, whole short items, and items as whole texts."""

    items: pl.Series
    grams: tuple[Grams, ...]
    whole: Grams
    shared: tuple[Grams, Ints] | None


class Found(NamedTuple):
    """Texts that overlap with an item: the span in bytes of the lower-case text; ``share`` of the item's words."""

    text: Ints
    item: Ints
    start: Ints
    end: Ints
    share: npt.NDArray[np.float64]


def index(items: pl.Series, *, run: int, n: int | None = None) -> Index:
    """Returns the list ready to be looked for.

    Args:
        run: words in a row that make an overlap; a shorter item must occur whole.
        n: words of the runs whose share of an item is measured; null measures none.
    """
    found = words(items)
    sizes = np.diff(found.first)
    grams = [_grams(found, run)]
    for size in range(FEWEST, run):
        rows = np.flatnonzero(sizes == size)
        if len(rows):
            begins = found.first[rows]
            grams.append(_sorted(size, shingles_at(found, begins, size), rows.astype(np.int32)))
    rows = np.flatnonzero(sizes > 0)
    whole = span_hashes(found.hashes, found.first[rows], found.first[rows + 1])
    return Index(items, tuple(grams), _sorted(0, whole, rows.astype(np.int32)),
                 None if n is None else (_grams(found, n, every=True), sizes))  # fmt: skip


def shingles_at(found: Words, begins: Ints, n: int) -> Hashes:
    """Returns the hashes of the runs of ``n`` words that begin at these words."""
    hashes, starts = shingles(found, n)
    return hashes[np.searchsorted(starts, begins)]


def _grams(found: Words, n: int, *, every: bool = False) -> Grams:
    hashes, begins = shingles(found, n)
    return _sorted(n, hashes, found.text[begins], every=every)


def _sorted(n: int, hashes: Hashes, item: npt.NDArray[np.int32], *, every: bool = False) -> Grams:
    order = np.argsort(hashes, kind="stable")
    hashes, item = hashes[order], item[order]
    if not every and len(hashes):
        first = np.concatenate([[True], hashes[1:] != hashes[:-1]])
        hashes, item = hashes[first], item[first]
    seen = np.zeros(1 << BITS, np.bool_)
    seen[hashes >> np.uint64(64 - BITS)] = True
    return Grams(n, hashes, item, seen)


def overlaps(texts: pl.Series, known: Index, *, share: float | None = None) -> Found:
    """Returns at most one overlap a text: the longest run, else the largest share above ``share``; by text."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        parts = list(pool.map(lambda span: _part(texts, span, known, share), chunks(texts)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 5
    return Found(*columns)


def _part(texts: pl.Series, span: tuple[int, int], known: Index, share: float | None) -> Found:
    here = words(texts[span[0] : span[1]])
    rows = [_equal(here, known.whole), *(_runs(here, grams) for grams in known.grams)]
    if known.shared and share is not None:
        rows.append(_shares(here, *known.shared, share))
    text, item, first, last, part = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((first, first - last, text))
    order = order[np.unique(text[order], return_index=True)[1]]
    text, first, last = text[order], first[order], last[order]
    return Found(text + span[0], item[order], here.starts[first], here.ends[last - 1], part[order])


def _hits(hashes: Hashes, grams: Grams) -> Ints:
    """Returns which of the hashes are in the list: most fall out by their first bits."""
    maybe = np.flatnonzero(grams.seen[hashes >> np.uint64(64 - BITS)])
    if not len(grams.hashes):
        return maybe
    place = np.minimum(np.searchsorted(grams.hashes, hashes[maybe]), len(grams.hashes) - 1)
    hits: Ints = maybe[grams.hashes[place] == hashes[maybe]]
    return hits


def _runs(here: Words, grams: Grams) -> tuple[Any, ...]:
    """Returns text, item, first word, end and share of each longest stretch that common runs cover."""
    hashes, begins = shingles(here, grams.n)
    hit = _hits(hashes, grams)
    begins = begins[hit].astype(np.int64)
    new = np.ones(len(begins), np.bool_)
    new[1:] = (begins[1:] != begins[:-1] + 1) | (here.text[begins[1:]] != here.text[begins[:-1]])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(begins)) - 1 if len(first) else first
    item = grams.item[np.searchsorted(grams.hashes, hashes[hit[first]])] if len(first) else first
    return (
        here.text[begins[first]].astype(np.int64),
        item.astype(np.int64),
        begins[first],
        begins[last] + grams.n,
        (np.full(len(first), np.nan)),
    )


def _equal(here: Words, whole: Grams) -> tuple[Any, ...]:
    rows = np.flatnonzero(np.diff(here.first))
    hashes = span_hashes(here.hashes, here.first[rows], here.first[rows + 1])
    hit = _hits(hashes, whole)
    item = whole.item[np.searchsorted(whole.hashes, hashes[hit])] if len(hit) else hit
    rows = rows[hit]
    return rows, item.astype(np.int64), here.first[rows], here.first[rows + 1], np.ones(len(rows))


def _shares(here: Words, grams: Grams, sizes: Ints, share: float) -> tuple[Any, ...]:
    """Returns the texts that hold more than a share of an item's words within common runs."""
    hashes, begins = shingles(here, grams.n)
    hit = _hits(hashes, grams)
    low = np.searchsorted(grams.hashes, hashes[hit])
    count = np.searchsorted(grams.hashes, hashes[hit], side="right") - low
    owner = np.repeat(begins[hit].astype(np.int64), count)
    inner = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    item = grams.item[np.repeat(low, count) + inner].astype(np.int64)
    frame = pl.DataFrame({"text": here.text[owner], "item": item, "at": owner})
    after = pl.col("at").shift(-1).over("text", "item", order_by="at") - pl.col("at")
    covered = (
        frame.unique().sort("text", "item", "at")
        .with_columns(new=after.fill_null(grams.n).clip(0, grams.n))
        .group_by("text", "item", maintain_order=True)
        .agg(first=pl.col("at").min(), last=pl.col("at").max() + grams.n, matched=pl.col("new").sum())
    )  # fmt: skip
    part = covered["matched"].to_numpy() / sizes[covered["item"].to_numpy()]
    keep = part > share
    return *(covered[name].to_numpy()[keep] for name in ("text", "item", "first", "last")), part[keep]
