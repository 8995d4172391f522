"""A prompt's candidates as one stretch of rows: every pair of them, several criteria beside each other.

Source: the tables completions and scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from tasks.selectors._candidates import WHOLE, first_of_each

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def steps(rows: pl.DataFrame) -> Iterator[tuple[Ints, Ints]]:
    """Yields places (i, j), i before j, such that all together are every pair of rows of one ``group``, each once.

    Row i meets row i + 1, then i + 2, … while still in its group: as many steps as the largest group has rows, each
    over whole columns, and no table of all pairs is ever built.
    """
    left = rows.select(pl.len().over("group") - 1 - pl.int_range(pl.len()).over("group")).to_series().to_numpy()
    start, step = np.arange(rows.height, dtype=np.int64), 1
    while (start := start[left[start] >= step]).size:
        yield start, start + step
        step += 1


def stretches(rows: pl.DataFrame, size: int = 50_000) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yields whole groups of rows, about ``size`` rows together, with the place of the first; at least one stretch.

    A million rows in groups of twenty make ten million pairs: more than memory should hold at a time.
    """
    group = rows["group"].to_numpy()
    firsts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(1, np.int64)
    cuts = firsts[np.r_[True, np.diff(firsts // size) > 0]].tolist()
    for begin, end in pairwise([*cuts, rows.height]):
        yield begin, rows[begin:end]


def every(rows: pl.DataFrame, beats: Callable[[Ints, Ints], Any]) -> tuple[Ints, Ints]:
    """Returns all ordered pairs of rows of one ``group`` for which ``beats(i, j)`` holds, as places.

    Args:
        beats: is given two arrays of places and returns an array of booleans; never true both ways round.
    """
    nobody: Ints = np.empty(0, dtype=np.int64)
    better, worse = [nobody], [nobody]
    for left, right in steps(rows):
        for one, other in ((left, right), (right, left)):
            hit = beats(one, other)
            better.append(one[hit])
            worse.append(other[hit])
    return np.concatenate(better), np.concatenate(worse)


def widest(rows: pl.DataFrame, one: Ints, other: Ints, margin: Any, per_prompt: int | None) -> tuple[Ints, Ints]:
    """Returns of each prompt's pairs the ``per_prompt`` with the largest margins (ties: lowest ids), all for null.

    Raises:
        ValueError: per_prompt is below 1.
    """
    if per_prompt is None:
        return one, other
    frame = pl.DataFrame({"group": rows["group"].gather(one), "one": one, "other": other, "margin": margin})
    order = ["group", "margin", "one", "other"]
    kept = first_of_each(frame.sort(order, descending=[False, True, False, False]), per_prompt)
    return kept["one"].to_numpy(), kept["other"].to_numpy()


def measured(
    completions: pl.DataFrame, scores: pl.DataFrame, criteria: Sequence[str], *, truncated: bool, partial: bool = False
) -> pl.DataFrame:
    """Returns the completions that may be chosen, with a column ``c0``, ``c1``, … a criterion.

    Sorted by prompt_id and completion_id; ``row`` and ``group`` number completions and prompts. Of completions of a
    prompt with the same text the one with the lowest id stays. One without a finite score by each criterion is no
    candidate.

    Args:
        partial: one criterion is enough; the others are null.

    Raises:
        ValueError: a criterion is named twice or was scored by nobody or by several scorers.
    """
    names = [f"c{i}" for i in range(len(criteria))]
    if not criteria or len(set(criteria)) < len(criteria):
        raise ValueError(f"criteria are {list(criteria)}; name one or more, each once")
    kinds = scores.select("criterion", "scorer").unique().sort("criterion", "scorer")
    for criterion in criteria:
        scorers = kinds.filter(pl.col("criterion") == criterion)["scorer"].to_list()
        if len(scorers) > 1:
            raise ValueError(f"criterion {criterion!r} has scores by several scorers: {', '.join(scorers)}")
        if not scorers and scores.height:
            known = ", ".join(kinds["criterion"].unique().sort())
            raise ValueError(f"there are no scores by criterion {criterion!r}; there are {known}")
    rows = held(completions, truncated).lazy()
    for name, criterion in zip(names, criteria, strict=True):
        of = scores.lazy().filter(pl.col("criterion") == criterion, pl.col("score").is_finite())
        rows = rows.join(of.select("completion_id", pl.col("score").alias(name)), on="completion_id", how="left")
    there = [pl.col(name).is_not_null() for name in names]
    return numbered(rows.filter(pl.any_horizontal(there) if partial else pl.all_horizontal(there)).collect())


def held(completions: pl.DataFrame, truncated: bool) -> pl.DataFrame:
    """Returns the completions that are whole answers, or also cut ones."""
    allowed = (*WHOLE, "length") if truncated else WHOLE
    return completions.filter(pl.col("finish_reason").is_in(allowed))


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows sorted, one a text of a prompt, with ``row`` and ``group``."""
    rows = rows.sort("prompt_id", "completion_id").unique(
        ("prompt_id", "content_id"), keep="first", maintain_order=True
    )
    return rows.with_columns(group=pl.col("prompt_id").rle_id()).with_row_index("row")


def starts(rows: pl.DataFrame) -> Ints:
    """Returns the place of the first row of each group, for NumPy's ``reduceat``."""
    group = rows["group"].to_numpy()
    first: Ints = np.flatnonzero(np.r_[True, group[1:] != group[:-1]] if len(group) else group)
    return first


def first_of(rows: pl.DataFrame, wanted: Floats, begin: Ints) -> Ints:
    """Returns for each group the place of its first row with the highest value.

    Args:
        wanted: a value a row, none of them NaN. begin: ``starts(rows)``.
    """
    best = np.maximum.reduceat(wanted, begin)
    sizes = np.diff(np.r_[begin, rows.height])
    hit = wanted == np.repeat(best, sizes)
    place = np.where(hit, np.arange(rows.height), rows.height)
    found: Ints = np.minimum.reduceat(place, begin)
    return found


def paired(
    rows: pl.DataFrame, chosen: Ints, rejected: Ints, chosen_score: Any = None, rejected_score: Any = None,
    **more: Any,
) -> pl.DataFrame:  # fmt: skip
    """Returns lean pairs of rows, sorted by prompt, chosen and rejected id.

    Args:
        rows: with prompt_id and completion_id, sorted by them.
        chosen, rejected: places of the two, pair by pair. more: further columns, pair by pair.
    """
    columns = {"chosen_score": chosen_score, "rejected_score": rejected_score}
    frame = pl.DataFrame(
        {"_chosen": chosen, "_rejected": rejected, **{k: v for k, v in columns.items() if v is not None}, **more}
    )
    if chosen_score is not None and "margin" not in more:
        frame = frame.with_columns(margin=pl.col("chosen_score") - pl.col("rejected_score"))
    frame = frame.sort("_chosen", "_rejected", maintain_order=True)
    one, other = rows[frame["_chosen"]], rows[frame["_rejected"]]
    ids = one.select("prompt_id", chosen_id="completion_id").hstack(other.select(rejected_id="completion_id"))
    return ids.hstack(frame.drop("_chosen", "_rejected"))
