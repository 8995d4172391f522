"""What differs between the two texts of each of many pairs, as difflib finds it, for all pairs at once.

Source: pattern matching by the longest common block, then left and right of it (Ratcliff and Obershelp; Ratcliff and
Metzener 1988), as in Python's difflib: of the longest blocks the first of the one text, of these the first of the
other.

Two independent answers have few words in common. So the words that stand in both are found first, by a table of bits;
what costs is the number of places at which a word of the one is a word of the other. Where there are many, runs of
words narrow them down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tasks.texts.tokens import Tokens
from tasks.texts.words import Ints

Mask = npt.NDArray[np.int8]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_BITS = 21
_MOST = (1 << _BITS) - 1
"""A place in a text is half as large at most."""
_SLOTS = 20
_CHUNK = 17
"""Powers of two: entries of the table of bits, and tokens that are worked on at a time."""
PLACES = 1 << 20
"""Common places that are worked on at a time; a pair with a quarter of that is left to difflib."""
DENSE, RUN = 1, 4
"""Common places a word from which on runs of words are looked for first, and how long these are."""


class _Shared(NamedTuple):
    """Tokens of the first texts that the pair's other text has too.

    Attributes:
        first: which. low, high: where those equal to it begin and end in ``by_key``. by_key: tokens of the second
            texts. pair: of each. places: common places a pair.
    """

    first: Ints
    low: Ints
    high: Ints
    by_key: Ints
    pair: Ints
    places: Ints


Sides: TypeAlias = list[Tokens]
Block: TypeAlias = tuple[Ints, Ints, Ints, Ints]


def masks(one: Tokens, other: Tokens) -> tuple[Mask, Mask]:
    """Returns for the tokens of both 1 for what the other text of the pair does not have there, else 0.

    >>> import polars as pl
    >>> from tasks.texts.tokens import spaced
    >>> [mask.tolist() for mask in masks(*(spaced(pl.Series([text])) for text in ("the cat sat", "the dog sat")))]
    [[0, 1, 0], [0, 1, 0]]
    """
    found = (np.ones(len(one.keys), np.int8), np.ones(len(other.keys), np.int8))
    cuts = np.flatnonzero(np.diff((one.first + other.first)[:-1] >> _CHUNK)) + 1
    edges = [0, *cuts.tolist(), len(one.first) - 1]
    for start, end in pairwise(edges):
        tokens, views = [], []
        for side, mask in zip((one, other), found, strict=True):
            first = side.first[start : end + 1]
            tokens.append(Tokens(side.keys[first[0] : first[-1]], first - first[0]))
            views.append(mask[first[0] : first[-1]])
        _fill(tokens, views)
    return found


def _fill(tokens: Sides, found: list[Mask], *, runs: bool = True) -> None:
    """Sets the masks to 0 where a pair's texts have the same."""
    shared = _shared(tokens)
    counts = [np.diff(side.first) for side in tokens]
    long = np.maximum(*counts) >= _MOST >> 1
    dense = (shared.places > DENSE * (counts[0] + counts[1])) & ~long & runs
    hard = (shared.places > PLACES // 4) & ~dense | long
    for each in np.flatnonzero(hard).tolist():
        ranges = [slice(side.first[each], side.first[each + 1]) for side in tokens]
        told = differing(*(side.keys[own].tolist() for side, own in zip(tokens, ranges, strict=True)))
        found[0][ranges[0]], found[1][ranges[1]] = told
    _erase(tokens, _matched(tokens, shared, ~hard & ~dense, 1), found)
    if dense.any():
        _within(tokens, [side.first[:-1][dense] for side in tokens], [own[dense] for own in counts], found, _by_runs)


def _by_runs(tokens: Sides, found: list[Mask]) -> None:
    """Does the same for texts that have much in common, by runs of words first.

    A block of so many words is longer than what is in no such run. So what is left lies in the gaps between these
    blocks, and each gap is a pair of its own.
    """
    counts = [np.diff(side.first) for side in tokens]
    grams = [_grams(side) for side in tokens]
    shared = _shared(grams)
    blocks = list(_matched(grams, shared, shared.places <= PLACES // 4, RUN))
    _erase(tokens, blocks, found)
    every, none = np.arange(len(counts[0])), np.zeros(len(counts[0]), np.int64)
    ends = [(every, none, none, none), *blocks, (every, *counts, none)]
    pair, i, j, size = (np.concatenate([each[part] for each in ends]) for part in range(4))
    order = np.lexsort((size, i, pair))
    pair, i, j, size = pair[order], i[order], j[order], size[order]
    between = pair[1:] == pair[:-1]
    starts = [(own + size)[:-1] for own in (i, j)]
    sizes = [np.where(between, own[1:] - start, 0) for own, start in zip((i, j), starts, strict=True)]
    gaps = np.flatnonzero((sizes[0] > 0) & (sizes[1] > 0))
    begins = [side.first[pair[gaps]] + start[gaps] for side, start in zip(tokens, starts, strict=True)]
    _within(tokens, begins, [own[gaps] for own in sizes], found, partial(_fill, runs=False))


def _within(tokens: Sides, starts: list[Ints], sizes: list[Ints], found: list[Mask], fill: Callable[..., None]) -> None:
    """Fills the masks for parts of the texts, as if each were a text."""
    places = [_ranges(start, size) for start, size in zip(starts, sizes, strict=True)]
    parts = [Tokens(side.keys[own], np.concatenate([[0], np.cumsum(size)]))
             for side, own, size in zip(tokens, places, sizes, strict=True)]  # fmt: skip
    told = [np.ones(len(own), np.int8) for own in places]
    fill(parts, told)
    for mask, own, part in zip(found, places, told, strict=True):
        mask[own] = part


def _grams(tokens: Tokens) -> Tokens:
    """Returns a number for each run of words."""
    size = np.maximum(np.diff(tokens.first) - RUN + 1, 0)
    begins = _ranges(tokens.first[:-1], size)
    keys = tokens.keys[begins]
    for step in range(1, RUN):
        keys = keys * _ODD + tokens.keys[begins + step]
    return Tokens(keys, np.concatenate([[0], np.cumsum(size)]))


def _erase(tokens: Sides, blocks: Iterable[Block], found: list[Mask]) -> None:
    """Sets the masks to 0 in these blocks."""
    for pair, i, j, size in blocks:
        found[0][_ranges(tokens[0].first[pair] + i, size)] = 0
        found[1][_ranges(tokens[1].first[pair] + j, size)] = 0


def _matched(tokens: Sides, shared: _Shared, pairs: npt.NDArray[np.bool_], run: int) -> Iterator[Block]:
    """Yields the blocks of these pairs, of so many words or more."""
    portion = np.where(pairs, np.cumsum(np.where(pairs, shared.places, 0)) // PLACES, -1)[shared.pair]
    for number in np.unique(portion[portion >= 0]).tolist():
        own = np.flatnonzero(portion == number)
        count = shared.high[own] - shared.low[own]
        b = shared.by_key[_ranges(shared.low[own], count)]
        pair = np.repeat(shared.pair[own], count)
        i, j = np.repeat(shared.first[own], count) - tokens[0].first[pair], b - tokens[1].first[pair]
        inside = (j >= 0) & (b < tokens[1].first[pair + 1])  # else two pairs' keys were equal by chance
        yield from _blocks(pair[inside], i[inside], j[inside], run)


def _shared(tokens: Sides) -> _Shared:
    """Returns the tokens of the first texts that the pair's other text has too, and where."""
    keys, slots, seen = [], [], []
    for side in tokens:
        own = np.repeat(np.arange(len(side.first) - 1, dtype=np.uint64) * _PAIR, np.diff(side.first))
        own ^= side.keys
        keys.append(own)
        slot = own * _ODD
        slot >>= np.uint64(64 - _SLOTS)
        slots.append(slot.view(np.int64))
        seen.append(np.zeros(1 << _SLOTS, np.bool_))
        seen[-1][slots[-1]] = True
    a, b = np.flatnonzero(seen[1][slots[0]]), np.flatnonzero(seen[0][slots[1]])
    if not len(a) or not len(b):
        none = np.zeros(0, np.int64)
        return _Shared(none, none, none, none, none, np.zeros(len(tokens[0].first) - 1, np.int64))
    a, b = (places[np.argsort(own[places], kind="stable")] for places, own in zip((a, b), keys, strict=True))
    wanted, ordered = keys[0][a], keys[1][b]
    heads = np.flatnonzero(np.diff(ordered, prepend=~ordered[0]))
    at = np.searchsorted(ordered[heads], wanted)  # both in order: many times as fast as at random
    there = ordered[heads[np.minimum(at, len(heads) - 1)]] == wanted
    a, at = a[there], at[there]
    low, high = heads[at], np.append(heads, len(b))[at + 1]
    pair = np.searchsorted(tokens[0].first, a, side="right") - 1
    places = np.bincount(pair, high - low, len(tokens[0].first) - 1).astype(np.int64)
    return _Shared(a, low, high, b, pair, places)


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """Returns the numbers from each start on, so many each."""
    before = np.cumsum(sizes) - sizes
    numbers: Ints = np.arange(sizes.sum(), dtype=np.int64) + np.repeat(starts - before, sizes)
    return numbers


def _blocks(pair: Ints, i: Ints, j: Ints, run: int) -> Iterator[Block]:
    """Yields pairs, where blocks begin in their two texts, and how long they are: the longest, then those beside it.

    Args:
        pair, i, j: every place i of the first text at which the ``run`` words stand that stand at j of the second.
    """
    places = np.sort((pair << 2 * _BITS) | ((j - i + (_MOST >> 1)) << _BITS) | i)
    heads = np.flatnonzero(np.diff(places, prepend=-2) != 1)  # a run goes on where i and j go on by one
    size = np.diff(heads, append=len(places)) + run - 1
    first = places[heads]
    window = pair = first >> 2 * _BITS
    i = first & _MOST
    j = ((first >> _BITS) & _MOST) - (_MOST >> 1) + i
    while len(i):
        heads = np.flatnonzero(np.diff(window, prepend=-1))
        rank = (size << 2 * _BITS) | ((_MOST - i) << _BITS) | (_MOST - j)
        best = np.maximum.reduceat(rank, heads)
        long, at, there = best >> 2 * _BITS, _MOST - ((best >> _BITS) & _MOST), _MOST - (best & _MOST)
        yield pair[heads], at, there, long
        own = np.repeat(np.arange(len(heads)), np.diff(heads, append=len(i)))
        left = np.minimum(size, np.minimum(at[own] - i, there[own] - j))
        skip = np.maximum(0, np.maximum((at + long)[own] - i, (there + long)[own] - j))
        a, b = np.flatnonzero(left >= run), np.flatnonzero(size - skip >= run)
        window = np.concatenate([2 * own[a], 2 * own[b] + 1])
        order = np.argsort(window, kind="stable")
        window, pair = window[order], np.concatenate([pair[a], pair[b]])[order]
        i, j = np.concatenate([i[a], (i + skip)[b]])[order], np.concatenate([j[a], (j + skip)[b]])[order]
        size = np.concatenate([left[a], (size - skip)[b]])[order]


def differing(one: Sequence[Any], other: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Returns the masks of one pair, by difflib.

    >>> differing("the cat sat on the mat".split(), "the dog sat on a mat".split())
    ([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0])
    """
    found = ([1] * len(one), [1] * len(other))
    for a, b, size in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        found[0][a : a + size] = found[1][b : b + size] = [0] * size
    return found
