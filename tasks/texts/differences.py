"""What differs between the two texts of each of many pairs, as difflib finds it, for all pairs at once.

Source: pattern matching by the longest common block, then left and right of it (Ratcliff and Obershelp; Ratcliff and
Metzener 1988), as in Python's difflib: of the longest blocks the first of the one text, of these the first of the
other.

Two independent answers have few words in common. So the words that stand in both are found first, by a table of bits;
what costs is the number of places at which a word of the one is a word of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.texts.words import Hashes, Ints, chunks, span_keys

Mask = npt.NDArray[np.int8]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_SPACE = np.zeros(33, np.bool_)
_SPACE[[*b"\t\n\v\f\r\x1c\x1d\x1e\x1f "]] = True
_WIDE = [b"\xc2\x85", b"\xc2\xa0", b"\xe1\x9a\x80", *(bytes((0xE2, 0x80, last)) for last in range(0x80, 0x8B)),
         b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xe2\x80\xaf", b"\xe2\x81\x9f", b"\xe3\x80\x80"]  # fmt: skip
_BITS = 21
_MOST = (1 << _BITS) - 1
"""A place in a text is so large at most."""
_SLOTS = 20
_CHUNK = 17
"""Powers of two: entries of the table of bits, and tokens that are worked on at a time."""
PLACES = 1 << 20
"""Common places that are worked on at a time; a pair with a quarter of that is left to difflib."""


class Tokens(NamedTuple):
    """The tokens of texts as numbers, one text after the other.

    Attributes:
        keys: equal where tokens are. first: where each text's begin; one more entry than there are texts.
    """

    keys: Hashes
    first: Ints


def spaced(texts: pl.Series) -> Tokens:
    r"""Returns the words of texts, each with the white space before it: Python's ``\s*\S+``.

    >>> spaced(pl.Series(["a b  a b", "", " "])).first.tolist()
    [0, 4, 4, 4]
    """
    parts, counts = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for start, end in chunks(texts):
        array: Any = texts[start:end].fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = array.buffers()
        wide = np.dtype(np.int64) if str(array.type).startswith("large") else np.dtype(np.int32)
        edges = np.frombuffer(offsets, wide)[array.offset : array.offset + len(array) + 1].astype(np.int64)
        raw = np.frombuffer(data, np.uint8)[edges[0] : edges[-1]] if data is not None else np.zeros(0, np.uint8)
        keys, count = _words(raw, edges - edges[0])
        parts.append(keys)
        counts.append(count)
    return Tokens(np.concatenate(parts), np.concatenate([[0], np.cumsum(np.concatenate(counts))]))


def listed(tokens: pl.Series) -> Tokens:
    """Returns the tokens of a column of lists of strings."""
    count = tokens.list.len().to_numpy().astype(np.int64)
    keys = tokens.filter(tokens.list.len() > 0).explode().hash().to_numpy()
    return Tokens(keys, np.concatenate([[0], np.cumsum(count)]))


def _words(raw: npt.NDArray[np.uint8], edges: Ints) -> tuple[Hashes, Ints]:
    """Returns the keys of the words, and how many each text has."""
    word = np.zeros(len(raw) + 1, np.bool_)
    np.greater(raw, 32, out=word[:-1])
    control = np.flatnonzero(raw < 32)
    word[control] = ~_SPACE[raw[control]]
    if len(raw) and raw.max() >= 0xC2:
        _wide_spaces(raw, word)
    stops = word[:-1] & ~word[1:]
    last = edges[1:][edges[1:] > edges[:-1]] - 1
    stops[last] = word[last]
    ends = np.flatnonzero(stops) + 1
    first = np.searchsorted(ends, edges, side="right")
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1]
    some = first[1:] > first[:-1]
    starts[first[:-1][some]] = edges[:-1][some]
    return span_keys(raw, starts, ends), np.diff(first)


def _wide_spaces(raw: npt.NDArray[np.uint8], word: npt.NDArray[np.bool_]) -> None:
    """Takes the spaces beyond ASCII out of ``word``."""
    for lead in {space[0] for space in _WIDE}:
        at = np.flatnonzero(raw == lead)
        for space in _WIDE:
            if space[0] == lead:
                here = at[at <= len(raw) - len(space)]
                for place in range(1, len(space)):
                    here = here[raw[here + place] == space[place]]
                for place in range(len(space)):
                    word[here + place] = False


def masks(one: Tokens, other: Tokens) -> tuple[Mask, Mask]:
    """Returns for the tokens of both 1 for what the other text of the pair does not have there, else 0.

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


def _fill(tokens: list[Tokens], found: list[Mask]) -> None:
    """Sets the masks to 0 where a pair's texts have the same."""
    a, low, high, by_key, pair = _shared(tokens)
    places = np.bincount(pair, high - low, len(tokens[0].first) - 1).astype(np.int64)
    hard = (places > PLACES // 4) | (np.diff(tokens[0].first) >= _MOST) | (np.diff(tokens[1].first) >= _MOST)
    for each in np.flatnonzero(hard).tolist():
        ranges = [slice(side.first[each], side.first[each + 1]) for side in tokens]
        told = differing(*(side.keys[own].tolist() for side, own in zip(tokens, ranges, strict=True)))
        found[0][ranges[0]], found[1][ranges[1]] = told
    part = np.where(hard, -1, np.cumsum(np.where(hard, 0, places)) // PLACES)[pair]
    for number in np.unique(part[part >= 0]).tolist():
        own = np.flatnonzero(part == number)
        count = high[own] - low[own]
        b = by_key[_ranges(low[own], count)]
        rows = np.repeat(pair[own], count)
        one, other = np.repeat(a[own], count) - tokens[0].first[rows], b - tokens[1].first[rows]
        inside = (other >= 0) & (b < tokens[1].first[rows + 1])  # else two pairs' keys were equal by chance
        for who, i, j, size in _blocks(rows[inside], one[inside], other[inside]):
            found[0][_ranges(tokens[0].first[who] + i, size)] = 0
            found[1][_ranges(tokens[1].first[who] + j, size)] = 0


def _shared(tokens: list[Tokens]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Returns the tokens of the first texts that the pair's other text has too, and where.

    Returns:
        Which tokens; where those equal to each begin and end among the tokens of the second texts by key; these by
        key; the pair of each.
    """
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
    by_key = b[np.argsort(keys[1][b], kind="stable")]
    ordered = keys[1][by_key]
    low = np.searchsorted(ordered, keys[0][a])
    there = ordered[np.minimum(low, len(ordered) - 1)] == keys[0][a] if len(ordered) else np.zeros(len(a), np.bool_)
    a, low = a[there], low[there]
    high = np.searchsorted(ordered, keys[0][a], side="right")
    return a, low, high, by_key, np.searchsorted(tokens[0].first, a, side="right") - 1


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """Returns the numbers from each start on, so many each."""
    before = np.cumsum(sizes) - sizes
    numbers: Ints = np.arange(sizes.sum(), dtype=np.int64) + np.repeat(starts - before, sizes)
    return numbers


def _blocks(pair: Ints, i: Ints, j: Ints) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """Yields pairs, where blocks begin in their two texts, and how long they are: the longest, then those beside it.

    Args:
        pair, i, j: every place i of the first text at which stands what stands at j of the second.
    """
    places = np.sort((pair << 2 * _BITS) | ((j - i + (_MOST >> 1)) << _BITS) | i)
    heads = np.flatnonzero(np.diff(places, prepend=-2) != 1)  # a run goes on where i and j go on by one
    size = np.diff(heads, append=len(places))
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
        a, b = np.flatnonzero(left > 0), np.flatnonzero(skip < size)
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
