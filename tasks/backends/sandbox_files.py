"""Scratch folders that a program filled: how much is in one, and removing it however deep. Standard library only.

Source: path_resolution(7): a path may be longer than any call takes, so nothing here goes down by name or by recursion.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import time

try:
    import fcntl
except ImportError:  # not a Unix; the backend refuses such systems
    fcntl = None  # type: ignore[assignment]

ENTRIES = 4096
"""So many files and folders one program may make, as the private mounts allow it."""


PREFIX, STALE_S = "pairwright-sandbox-", 60.0


def take() -> tuple[str, int]:
    """Returns a fresh folder and a descriptor that keeps it; removes those whose keepers were killed.

    A keeper holds a lock on its folder, which the kernel lets go when it dies, however it dies.
    """
    parent = tempfile.gettempdir()
    for entry in _entries(parent):
        if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
            with contextlib.suppress(OSError):
                _remove_stale(entry.path)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
    keeper = os.open(folder, os.O_RDONLY)
    fcntl.flock(keeper, fcntl.LOCK_SH)
    return folder, keeper


def _remove_stale(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        about = os.fstat(descriptor)
        if about.st_uid == os.getuid() and time.time() - about.st_mtime > STALE_S:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(folder)
    finally:
        os.close(descriptor)


def remove(folder: str) -> None:
    """Removes a folder with all that is in it; what cannot be removed is left.

    Folders in folders are moved up first, so that a tree of any depth is never more than two deep. Links are removed,
    never followed. Nobody else may be writing there.
    """
    while True:
        moved = False
        for entry in _entries(folder):
            if not entry.is_dir(follow_symlinks=False):
                _unlink(entry.path)
                continue
            with contextlib.suppress(OSError):
                os.chmod(entry.path, 0o700)
            for inner in _entries(entry.path):
                if not inner.is_dir(follow_symlinks=False):
                    _unlink(inner.path)
                    continue
                with contextlib.suppress(OSError):
                    os.chmod(inner.path, 0o700)  # to be moved, a folder must be writable: it names its parent
                    os.rename(inner.path, os.path.join(folder, os.urandom(16).hex()))
                    moved = True
            with contextlib.suppress(OSError):
                os.rmdir(entry.path)
        if not moved:
            break
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def exceeds(folder: str, size_mb: float) -> bool:
    """Says whether a folder holds more than so much, or more than ``ENTRIES`` files and folders."""
    seen, size = 0, 0.0
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop(), ENTRIES + 1):
            seen += 1
            with contextlib.suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_blocks * 512 / 2**20
            if seen > ENTRIES or size > size_mb or len(entry.path) > 3500:
                return True
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
    return False


def _entries(folder: str, most: int | None = None) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(itertools.islice(found, most))
    except OSError:
        return []


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
