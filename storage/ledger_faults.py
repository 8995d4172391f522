"""What a ledger's file cannot do, in words: what SQLite and the system say of it, and whether it may pass."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import StoreError

BUSY_S = 120.0
_FULL = "the disk is full; nothing of the last answers was half-written"
_READ_ONLY = "the ledger cannot be written: file or folder is read-only"
_LASTING = (
    ("not a database", "this is not a ledger"),
    ("malformed", "the ledger is damaged; `pairwright ledger verify` says where"),
)
_PASSING = (
    ("disk is full", _FULL),
    ("No space left", _FULL),
    ("readonly", _READ_ONLY),
    ("Read-only", _READ_ONLY),
    ("denied", "the ledger cannot be opened: no permission"),
    ("unable to open", "the ledger cannot be opened: the folder is missing, read-only or full"),
    ("locked", f"another process has held the ledger for {BUSY_S:g} s"),
)


def said_of(path: Path, error: Exception) -> StoreError:
    """Returns the error of a ledger's file as a user is told it; all pass but damage."""
    text = str(error)
    for signs, passing in ((_LASTING, False), (_PASSING, True)):
        for sign, meaning in signs:
            if sign in text:
                return StoreError(f"{path}: {meaning} ({text})", passing=passing)
    return StoreError(f"{path}: {text}", passing=True)
