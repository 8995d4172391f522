"""Keeps a long run's memory small: libraries hold on to what they once had, and load what they might need."""

from __future__ import annotations

import ctypes
import gc
import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not now", name=fullname)


def lean() -> None:
    """Sets up this process for a run of hours; the memory of W1 falls by a quarter (``benchmarks/w1.py``)."""
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps what it once had
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        # Arrow looks for pandas before it reads a list, to see whether the list is one of its series: 48 MB for a "no".
        # It looks again where it is asked to make a data frame.
        _ = pa.lib._pandas_api.have_pandas
    finally:
        sys.meta_path.remove(hidden)
    # Rows, tasks and replies come in hundreds of thousands and are freed by their counts; searching all of them for
    # cycles as often as Python does by itself took 0.08 ms a call.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def trim() -> None:
    """Gives free memory back to the system, where the C library can (glibc): it keeps a fifth of a run's otherwise."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)
