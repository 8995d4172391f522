"""The one place where the failures of disks and libraries become a ``StoreError``."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from schemas.errors import StoreError

_FULL = ("No space left on device", "StorageFull", f"os error {errno.ENOSPC}", "Disk quota exceeded")
_READ_ONLY = ("Read-only file system", "Permission denied", "ReadOnlyFilesystem", "PermissionDenied")


@contextlib.contextmanager
def guarded(what: str, where: object) -> Iterator[None]:
    """Raises what disks, Delta, Arrow and Polars raise inside it as one ``StoreError``.

    Args:
        what: what was being done ("appending to completions"); where: the root or file it was done to.
    """
    try:
        yield
    except _failures() as error:
        raise StoreError(_explain(what, where, error)) from error


def unreadable(error: BaseException) -> bool:
    """Says whether an error is of a data file that is broken: a lazy read finds that only where its rows are used."""
    return isinstance(error, _failures()) and "parquet" in str(error).lower()


def _failures() -> tuple[type[BaseException], ...]:
    """Returns what counts as a failure of the store; evaluated only once something was raised."""
    import polars.exceptions
    import pyarrow as pa
    from deltalake.exceptions import DeltaError

    return (OSError, DeltaError, pa.ArrowException, polars.exceptions.ComputeError)


def _explain(what: str, where: object, error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if any(sign in text for sign in _FULL):
        return f"{what}: the disk of {where} is full; free some space and run the same command again"
    if any(sign in text for sign in _READ_ONLY):
        return f"{what}: {where} is read-only for this user; choose another --root or change its permissions"
    return f"{what}: {where}: {text}"
