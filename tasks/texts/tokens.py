"""Words with the space before them, or a sampler's tokens, as numbers: for comparing one text with another.

Source: Python's regular expressions, for what white space is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.texts.words import Hashes, Ints, chunks, joined_bytes, span_keys

_SPACE = np.zeros(33, np.bool_)
_SPACE[[*b"\t\n\v\f\r\x1c\x1d\x1e\x1f "]] = True
_WIDE = [b"\xc2\x85", b"\xc2\xa0", b"\xe1\x9a\x80", *(bytes((0xE2, 0x80, last)) for last in range(0x80, 0x8B)),
         b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xe2\x80\xaf", b"\xe2\x81\x9f", b"\xe3\x80\x80"]  # fmt: skip


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
        keys, count = _words(*joined_bytes(texts[start:end].fill_null("")))
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
