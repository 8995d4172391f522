"""Locks between processes: advisory, on a file, and let go by the kernel when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import StoreError


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float = 600.0) -> Iterator[None]:
    """Holds the lock, waiting for whoever has it; threads of one process exclude each other too.

    Raises:
        StoreError: it was not to be had within ``timeout_s``; the message names the holder.
    """
    handle = _open(path)
    try:
        end, pause = time.monotonic() + timeout_s, 0.0005
        while not _take(handle):
            if time.monotonic() > end:
                raise StoreError(f"waited {timeout_s:.0f} s for {path}, held by {_holder(handle)}")
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def claimed(path: Path, what: str) -> Iterator[None]:
    """Holds the lock, or refuses at once.

    Args:
        what: what the lock stands for, as the message names it ("a run for dataset 'quickstart'").

    Raises:
        StoreError: somebody has it: which process, and since when.
    """
    handle = _open(path)
    try:
        if not _take(handle):
            raise StoreError(f"{what} is going on already, in {_holder(handle)}; wait for it, or stop it")
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".encode(), 0)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: int) -> str:
    return os.pread(handle, 200, 0).decode(errors="replace") or "another process"
