"""Words of many texts as numbers, without a Python object a word: what finding copies among millions needs.

Source: Rabin 1981 (fingerprints by polynomial hashing); Broder 1997 (shingles); splitmix64 (Steele et al. 2014).

A word is a run of letters, digits and underscores in lower case; everything else separates. Chinese, Japanese and
Korean are written without spaces or with few, so there each character is a word.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes: TypeAlias = npt.NDArray[np.uint64]
Ints: TypeAlias = npt.NDArray[np.int64]

_BASE = np.uint64(0x9E3779B97F4A7C15 | 1)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_LENGTH = np.uint64(0xC2B2AE3D27D4EB4F)
_HEAD = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
_LETTER = np.zeros(256, np.bool_)
_LETTER[[*range(48, 58), *range(65, 91), *range(97, 123), 95, *range(128, 256)]] = True
_LETTERS = _LETTER.tobytes()
CHUNK = 1 << 20
"""Bytes of text that are worked on at a time: numbers that stay in a processor's cache are worked on twice as fast."""


class Words(NamedTuple):
    """The words of texts, one after the other.

    Attributes:
        hashes: of each word. text: index of the word's text. starts, ends: of the word in its text, in bytes of UTF-8.
        first: where each text's words begin; one more entry than there are texts.
    """

    hashes: Hashes
    text: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    first: Ints


def chunks(texts: pl.Series) -> list[tuple[int, int]]:
    """Returns ranges of rows, each of about ``CHUNK`` bytes."""
    sizes = texts.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // CHUNK)) + 1
    edges = [0, *cuts.tolist(), len(texts)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def words(texts: pl.Series, *, keys: bool = False) -> Words:
    """Returns the words of texts (a column of strings; null is empty).

    Args:
        keys: numbers that tell words apart will do for hashes.
    """
    raw, edges = joined_bytes(texts.fill_null("").str.to_lowercase())
    if not len(raw):
        empty = np.zeros(0, np.int32)
        return Words(np.zeros(0, np.uint64), empty, empty, empty, np.zeros(len(texts) + 1, np.int64))
    starts, ends = _bounds(raw, edges)
    hashes = span_keys(raw, starts, ends) if keys else span_hashes(raw.astype(np.uint64) + np.uint64(1), starts, ends)
    first = np.searchsorted(starts, edges)
    text = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(first))
    base = edges[text]
    return Words(hashes, text, (starts - base).astype(np.int32), (ends - base).astype(np.int32), first)


def joined_bytes(texts: pl.Series) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Returns the UTF-8 bytes of texts without nulls, one after the other, and where each begins, the end last."""
    array: Any = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    wide = np.dtype(np.int64) if str(array.type).startswith("large") else np.dtype(np.int32)
    edges = np.frombuffer(offsets, wide)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    raw = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return raw[edges[0] : edges[-1]], edges - edges[0]


def _bounds(raw: npt.NDArray[np.uint8], edges: Ints) -> tuple[Ints, Ints]:
    """Returns where words begin and end; a text's end is always a word's end."""
    letter = np.zeros(len(raw) + 2, np.bool_)
    letter[1:-1] = np.frombuffer(raw.tobytes().translate(_LETTERS), np.bool_)  # a third of what _LETTER[raw] takes
    signs = np.zeros(0, np.int64)
    if raw.max() >= 0xC2:
        signs = _beyond_ascii(raw, letter[1:-1])
    begins = letter[1:-1] & ~letter[:-2]
    stops = letter[1:-1] & ~letter[2:]
    begins[signs], stops[signs + 2] = True, True
    stops[signs[signs > 0] - 1] = letter[1:-1][signs[signs > 0] - 1]
    after = signs[signs < len(raw) - 3] + 3
    begins[after] = letter[1:-1][after]
    inner = edges[1:-1]
    inner = inner[(inner > 0) & (inner < len(raw))]
    begins[inner] = letter[1:-1][inner]
    stops[inner - 1] = letter[1:-1][inner - 1]
    return np.flatnonzero(begins), np.flatnonzero(stops) + 1


def _beyond_ascii(raw: npt.NDArray[np.uint8], letter: npt.NDArray[np.bool_]) -> Ints:
    """Takes punctuation out of ``letter``, and returns where characters begin that are words of their own."""
    high = np.flatnonzero(raw >= 0xC2)
    lead, second = raw[high], raw[np.minimum(high + 1, len(raw) - 1)]
    two = (lead == 0xC2) & (second >= 0xA0)  # no-break space, guillemets, inverted marks
    third = raw[np.minimum(high + 2, len(raw) - 1)]
    wide = (lead == 0xEF) & (second == 0xBC) & ((third <= 0x8F) | (third >= 0x9A) & (third <= 0xA0))
    three = (lead == 0xE2) & (second == 0x80) | (lead == 0xE3) & (second == 0x80) | wide  # dashes, quotes, full stops
    for places, length in ((high[two], 2), (high[three], 3)):
        for step in range(length):
            letter[places + step] = False
    alone: Ints = high[(lead >= 0xE3) & (lead <= 0xED) & ~three]
    return alone


def span_hashes(values: Hashes, starts: Ints, ends: Ints) -> Hashes:
    """Returns the hash of each span of a sequence; equal spans have equal hashes wherever they stand."""
    powers, inverse = _powers(1 << max(len(values).bit_length(), 16))
    sums = np.zeros(len(values) + 1, np.uint64)
    np.multiply(values, powers[: len(values)], out=sums[1:])
    np.cumsum(sums[1:], out=sums[1:])
    return mixed((sums[ends] - sums[starts]) * inverse[starts])


def span_keys(raw: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> Hashes:
    """Returns a number for each span of bytes; equal spans have equal numbers. In half the time of ``span_hashes``.

    Made from the length and eight bytes at a time, and by a hash beyond 64. The numbers are for comparing alone: their
    lower bits are not evenly spread.
    """
    size = ends - starts
    padded = np.concatenate([raw, np.zeros(8, np.uint8)])
    eights = np.ndarray((len(raw) + 1,), "<u8", padded, strides=(1,))
    keys: Hashes = eights[starts]
    keys &= _HEAD[np.minimum(size, 8)]
    keys += size.view(np.uint64) * _LENGTH
    keys *= _BASE
    more = np.flatnonzero(size > 8)
    for place in range(8, 64, 8):
        so_far, left = keys[more], size[more] - place
        so_far ^= so_far >> np.uint64(29)
        so_far += eights[starts[more] + place] & _HEAD[np.minimum(left, 8)]
        keys[more] = so_far * _BASE
        more = more[left > 8]
    for each in more.tolist():
        keys[each] = int.from_bytes(blake2b(raw[starts[each] : ends[each]].tobytes(), digest_size=8).digest())
    return keys


@lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Returns the first powers of the base, and of its inverse, modulo 2**64."""
    found = []
    for base in (_BASE, _INVERSE):
        powers = np.full(count, base, np.uint64)
        powers[0] = 1
        np.multiply.accumulate(powers, out=powers)
        found.append(powers)
    return found[0], found[1]


def mixed(values: Hashes) -> Hashes:
    """Returns the numbers stirred, so that every bit depends on every bit (splitmix64's last step)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def shingles(found: Words, n: int) -> tuple[Hashes, npt.NDArray[np.int32]]:
    """Returns the hash of every run of ``n`` words, and the word at which it begins; no run crosses two texts."""
    count = len(found.hashes)
    if count < n:
        return np.zeros(0, np.uint64), np.zeros(0, np.int32)
    begins = np.flatnonzero(found.text[: count - n + 1] == found.text[n - 1 :]).astype(np.int32)
    total = found.hashes[: count - n + 1].copy()
    for step in range(1, n):
        total *= _BASE
        total += found.hashes[step : count - n + 1 + step]
    return mixed(total[begins]), begins
