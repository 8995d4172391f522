"""Repetitive texts: takes out answers that say the same again and again.

Source: seq-rep-n of Welleck et al. 2019, arXiv:1908.04319; Rae et al. 2021, arXiv:2112.11446, table A1.

Use it on samples at high temperature or from base models, which loop. It is bad on poems, tables and code, which repeat
by nature: raise the bounds there.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides, spoken
from tasks.texts.words import Hashes, chunks, shingles, words

_SLOTS = 1 << 20


@row_filter
def repetitive(
    preferences: pl.DataFrame,
    *,
    of: Literal["chosen", "rejected", "either"] = "chosen",
    n: int = 4,
    most: float = 0.4,
    least_words: int = 30,
) -> pl.DataFrame:
    """Returns the removals of pairs with a text whose runs of words are mostly not new: row_id, reason, the share.

    Args:
        of: a rejected answer that loops is often a fair rejected one, so by default it may stay.
        n: words a run. most: share of the runs that occurred before, at most.
        least_words: shorter texts are not looked at.
    """
    if n < 1 or not 0 <= most <= 1:
        raise ValueError(f"n {n} must be at least 1, and most {most} between 0 and 1")
    parts = []
    for side in sides(of):
        share = repeated(preferences.select(spoken(side).alias("text"))["text"], n, least_words)
        reason = pl.when(pl.col("value") > most).then(pl.lit(f"{side} repeats itself")).otherwise(None)
        rows = preferences.select(row_id="pair_id").with_columns(value=share)
        parts.append(rows.select("row_id", reason=reason, value=pl.col("value").round(3).cast(pl.String)))
    return removals(pl.concat(parts))


def repeated(texts: pl.Series, n: int, least_words: int = 0) -> pl.Series:
    """Returns for each text the share of its runs of ``n`` words that occurred in it before.

    >>> repeated(pl.Series(["to be or not to be"]), 2).to_list()
    [0.2]
    """
    shares = np.zeros(len(texts))
    for start, end in chunks(texts):
        found = words(texts[start:end], keys=True)
        hashes, begins = shingles(found, n)
        owner = found.text[begins].astype(np.uint64)
        keys = owner << np.uint64(40) | hashes >> np.uint64(24)
        total = np.bincount(owner.astype(np.int64), minlength=end - start)
        some = _suspects(keys)
        new = pl.Series(some).unique().to_numpy()  # a sixth of what np.unique takes
        again = [np.bincount((each >> np.uint64(40)).astype(np.int64), minlength=end - start) for each in (some, new)]
        distinct = total - (again[0] - again[1])
        share = 1 - distinct / np.maximum(total, 1)
        shares[start:end] = np.where((total > 0) & (np.diff(found.first) >= least_words), share, 0)
    return pl.Series(shares)


def _suspects(keys: Hashes) -> Hashes:
    """Returns all keys that are there twice or more, and a few others: those that share a slot of a table."""
    slots = (keys ^ keys >> np.uint64(40)).astype(np.int64) & (_SLOTS - 1)
    places = np.arange(len(keys), dtype=np.int32)
    last = np.zeros(_SLOTS, np.int32)
    last[slots] = places
    shared = np.zeros(_SLOTS, np.bool_)
    shared[slots[last[slots] != places]] = True
    found: Hashes = keys[shared[slots]]
    return found
