"""What processes on one ledger file know of each other: who is there, who asks what, whether anybody has written.

One small mapped file. Reading a number in it costs a tenth of a microsecond; asking SQLite whether a key is there,
while another thread commits, costs forty. So a filter in memory says which questions are surely *not* in the ledger,
and the number says whether the filter is still the whole truth.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

_BITS = 1 << 25  # 4 MiB: a miss in a ledger of a million calls is certain 9,998 times in 10,000
_WORDS = struct.Struct("<4I").unpack
_WRITES, _OPENS = 0, 1
_PRESENCE = 1 << 62
_FLOCK = "hhqqi4x"


class Filter:
    """A Bloom filter over keys: no false "absent", few false "maybe"."""

    def __init__(self) -> None:
        self.bits = np.zeros(_BITS // 8, dtype=np.uint8)
        self._view = self.bits.data

    def __contains__(self, key: bytes) -> bool:
        view = self._view
        for word in _WORDS(key):  # noqa: SIM110 — a generator costs twice as much here
            if not view[word >> 3 & _BITS // 8 - 1] >> (word & 7) & 1:
                return False
        return True

    def add(self, keys: list[bytes]) -> None:
        """Adds keys of 16 bytes."""
        if len(keys) < 100:
            view = self._view
            for key in keys:
                for word in _WORDS(key):
                    view[word >> 3 & _BITS // 8 - 1] |= 1 << (word & 7)
            return
        words = np.frombuffer(b"".join(keys), dtype="<u4")
        np.bitwise_or.at(self.bits, words >> 3 & _BITS // 8 - 1, np.uint8(1) << (words & 7).astype(np.uint8))


class Shared:
    """The mapped file.

    The number of writes is odd while somebody commits; a process killed in mid-commit leaves it odd, and then nobody
    trusts a filter until the next commit has ended.

    Args:
        fresh: returns the keys committed since it was last called (``False``: to another connection).
    """

    def __init__(self, path: Path, fresh: Callable[[], list[bytes]]) -> None:
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self.file, fcntl.LOCK_EX)
        missing = mmap.PAGESIZE - os.fstat(self.file).st_size
        if missing > 0:  # written, not stretched: touching a hole on a full disk would kill the process
            os.pwrite(self.file, bytes(missing), mmap.PAGESIZE - missing)
        fcntl.flock(self.file, fcntl.LOCK_UN)
        self._map = mmap.mmap(self.file, mmap.PAGESIZE)
        self._cells = memoryview(self._map).cast("Q")
        self._fresh, self.filter = fresh, Filter()
        self._seen, self._own, self._trusted = -1, -1, False
        self._claimed: set[bytes] = set()
        self._arrive()

    def _arrive(self) -> None:
        self.alone = self._lock(fcntl.F_WRLCK, _PRESENCE)
        while not self._lock(fcntl.F_RDLCK, _PRESENCE):
            time.sleep(0.001)  # someone is arriving at this moment
        self._cells[_OPENS] = self._opens = self._cells[_OPENS] + 1

    def absent(self, key: bytes) -> bool:
        """Whether a question is surely not in the ledger; for the reading thread."""
        now = self._cells[_WRITES]
        if now != self._seen and now != self._own:
            keys = self._fresh()
            self.filter.add(keys)
            if now & 1:
                return False
            self._seen = now
        return key not in self.filter

    def begin_write(self) -> bool:
        """Announces a commit, by its holder of the write lock; returns whether the filter is the whole truth."""
        now = self._cells[_WRITES]
        self._trusted = now == self._seen
        following = now + 2 if now & 1 else now + 1
        self._own = following if self._trusted else -1
        self._cells[_WRITES] = following
        return self._trusted

    def end_write(self) -> None:
        """Ends what ``begin_write`` began; the keys added stand in the filter already."""
        following = self._cells[_WRITES] + 1
        if self._trusted:
            self._seen = following
        self._cells[_WRITES] = following

    def claim(self, key: bytes) -> bool:
        """Marks a question as being asked by us; false while someone alive is asking it. A kill ends a claim.

        It is a lock from the start: one that is made only when somebody else has come may come after their own.
        """
        if key in self._claimed:
            return False
        if not self._lock(fcntl.F_WRLCK, _offset(key)):
            return False
        if self._cells[_OPENS] != self._opens:  # looked at with the lock in hand: who comes now cannot have this key
            self.alone = False
        self._claimed.add(key)
        return True

    def release(self, key: bytes) -> None:
        """Ends a claim; does nothing where there is none."""
        if key in self._claimed:
            self._claimed.discard(key)
            self._lock(fcntl.F_UNLCK, _offset(key))

    def _lock(self, kind: int, offset: int) -> bool:
        """Locks one byte far out in the file; the kernel drops the lock when its holder dies."""
        try:
            if hasattr(fcntl, "F_OFD_SETLK"):
                fcntl.fcntl(self.file, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, offset, 1, 0))
            else:
                ways = {fcntl.F_WRLCK: fcntl.LOCK_EX, fcntl.F_RDLCK: fcntl.LOCK_SH, fcntl.F_UNLCK: fcntl.LOCK_UN}
                fcntl.lockf(self.file, ways[kind] | (0 if kind == fcntl.F_UNLCK else fcntl.LOCK_NB), 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def close(self) -> None:
        """Leaves."""
        self._cells.release()
        self._map.close()
        os.close(self.file)


def _offset(key: bytes) -> int:
    return int.from_bytes(key[:8], "big") >> 2
