"""A compact index of the keys a table holds, so that appending does not slow down as the table grows.

A key is known by 64 bits of its hash: 8 bytes a row. Two different keys share them with probability n^2 / 2^65 among
n keys: about one in ten million for two million rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def key_hash(key: Iterable[str]) -> pl.Expr:
    """Returns the expression that hashes the key columns of a row; the same within one process."""
    return pl.struct(list(key)).hash(seed=7).alias("hash")


class KeySet:
    """A growing set of 64-bit hashes: sorted runs of doubling length, so adding and asking cost O(log n) a key."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def contains(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Returns, for each hash, whether it is in the set."""
        found = np.zeros(len(hashes), dtype=bool)
        for run in self._runs:
            places = np.searchsorted(run, hashes)
            places[places == len(run)] = 0
            found |= run[places] == hashes
        return found

    def add(self, hashes: Hashes) -> None:
        """Adds hashes; those already there stay once."""
        new = np.unique(hashes)
        new = new[~self.contains(new)]
        if not len(new):
            return
        self._runs.append(new)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate((self._runs[-1], last)), kind="stable")


class KeyIndex:
    """What an append must know about a table: its keys, and which of its rows a new row may take the place of.

    Attributes:
        version: the Delta version it stands for.
        replaceable: rows (by hash) that a new row of the same key supersedes, with the file each is in.
    """

    def __init__(self) -> None:
        self.version = -1
        self.keys = KeySet()
        self.files: set[str] = set()
        self.replaceable: dict[int, str] = {}

    def add(self, files: Iterable[str], hashes: Hashes, replaceable: Mapping[int, str]) -> None:
        """Notes files and the rows in them."""
        if self.replaceable:
            known = np.fromiter(self.replaceable, dtype=np.uint64, count=len(self.replaceable))
            for row in np.intersect1d(known, hashes):
                self.replaceable.pop(int(row))
        self.replaceable.update(replaceable)
        self.keys.add(hashes)
        self.files.update(files)
