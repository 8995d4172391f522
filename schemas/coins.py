"""Coins for whole columns: numbers in [0, 1) that depend on a seed and an id alone.

``schemas.ids.coin`` is one BLAKE2b a row; two million rows want this instead. The bytes of an id are mixed eight at a
time by the finaliser of splitmix64, in plain NumPy, so that every version and machine tosses the same.

Source: Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195 (splitmix64).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import polars as pl

from schemas.ids import canonical

_ADD, _ONE, _TWO = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def coins(seed: int, ids: pl.Series, *parts: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns a number in [0, 1) an id; which ids stand beside it does not matter.

    Args:
        ids: text. parts: what else the toss is for, so that two tosses of one id differ.

    >>> coins(0, pl.Series(["a", "b"]))[1] == coins(0, pl.Series(["b"]))[0]
    True
    """
    if not len(ids):
        return np.empty(0)
    start = int.from_bytes(blake2b(canonical((seed, *parts)), digest_size=8).digest(), "little")
    lengths = ids.str.len_bytes().to_numpy()
    width = -(-int(lengths.max(initial=1)) // 8) * 8
    if (lengths == width).all():  # digests: their bytes lie in one piece
        joined = np.frombuffer(ids.str.join("").item().encode(), dtype="<u8")
    else:
        joined = np.array([text.encode() for text in ids.to_list()], dtype=f"S{width}").view("<u8")
    words = joined.reshape(len(ids), -1)
    state = _mixed(lengths.astype(np.uint64) + np.uint64(start))
    for place in range(words.shape[1]):
        inside = lengths > 8 * place  # an id's coin must not depend on how long the others are
        state = np.where(inside, _mixed(state ^ words[:, place]), state)
    return (state >> np.uint64(11)) / 2.0**53


def _mixed(state: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    with np.errstate(over="ignore"):
        state = state + _ADD
        state = (state ^ (state >> np.uint64(30))) * _ONE
        state = (state ^ (state >> np.uint64(27))) * _TWO
        mixed: np.ndarray[Any, np.dtype[np.uint64]] = state ^ (state >> np.uint64(31))
    return mixed
