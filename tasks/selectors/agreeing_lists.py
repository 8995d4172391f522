"""Lists in the order of one ranking, with the longest part of it on which another ranking agrees.

Source: CycleAlign (arXiv:2310.16271, section 3.3: black-box and white-box rankings; the agreement becomes the next
demonstration).

Use it with two rankers of unlike kind, to keep what both see. It is bad with many ties, which ids then order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._sets import measured


@selector(makes="rankings")
def agreeing_lists(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    ranking: str,
    other: str,
    least: int = 2,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one list a prompt, best first by ``ranking``; ``meta`` holds the agreed ids and the other's ranks.

    Agreed is the longest run of ids, gaps allowed, in the same order in both rankings; of several the one that begins
    earliest in ``ranking``, and so on. Scores that tie are in the order of ids.

    Args:
        ranking, other: the two criteria (of the black-box and of the white-box judge).
        least: fewer agreed ids make no list.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: least is below 2, or a criterion was scored by nobody or by several scorers.
    """
    if least < 2:
        raise ValueError(f"least is {least}; two ids are the shortest agreement")
    rows = measured(completions, scores, [ranking, other], truncated=truncated)
    place = pl.struct(-pl.col("c1"), "row").rank("ordinal").over("group").cast(pl.Int64)
    rows = rows.with_columns(theirs=place).sort("group", "c0", "row", descending=[False, True, False])
    rows = rows.with_columns(agreed=pl.Series(_agreed(rows), dtype=pl.Boolean))
    lists = rows.group_by("group", maintain_order=True).agg(
        pl.col("prompt_id").first(), criterion=pl.lit(ranking).first(), completion_ids=pl.col("completion_id"),
        rewards=pl.col("c0"), ranks=pl.col("c0").rank("min", descending=True).cast(pl.Int64), theirs=pl.col("theirs"),
        agreed=pl.col("completion_id").filter("agreed"),
    )  # fmt: skip
    lists = lists.filter(pl.col("agreed").list.len() >= least)
    return noted(lists, agreed=pl.col("agreed"), other_ranks=pl.col("theirs")).drop("group", "theirs", "agreed")


def _agreed(rows: pl.DataFrame) -> Any:
    """Returns whether each row is in its prompt's longest common sub-ranking; prompts of equal size at once."""
    out = np.zeros(rows.height, dtype=bool)
    size = rows.select(pl.len().over("group")).to_series().to_numpy()
    theirs = rows["theirs"].to_numpy()
    for k in np.unique(size):
        where = np.flatnonzero(size == k).reshape(-1, k)
        out[where] = longest(theirs[where])
    return out


def longest(theirs: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Returns which entries of each row are in its longest rising sequence, the one that begins earliest.

    >>> longest(np.array([[2, 1, 3, 4]])).tolist()
    [[True, False, True, True]]
    """
    count, k = theirs.shape
    length = np.ones((count, k), dtype=np.int64)
    for i in range(k - 2, -1, -1):
        after = np.where(theirs[:, i + 1 :] > theirs[:, i : i + 1], length[:, i + 1 :], 0)
        length[:, i] += after.max(axis=1)
    left, last = length.max(axis=1), np.full(count, -1)
    out = np.zeros((count, k), dtype=bool)
    for i in range(k):
        hit = (length[:, i] == left) & (theirs[:, i] > last) & (left > 0)
        out[:, i] = hit
        left, last = left - hit, np.where(hit, theirs[:, i], last)
    return out
