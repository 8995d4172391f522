"""How well a judge finds the first wrong step of a solution.

Source: ProcessBench, Zheng et al. 2024, arXiv:2412.06559, section 3.3 (accuracy on erroneous and on right solutions,
F1 as their harmonic mean); MR-GSM8K, Zeng et al. 2023, arXiv:2312.17080 (the explanation is graded, too).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tasks.reports._frames import FAILED
from tasks.reports._statistics import NOTHING, Floats, Rate, interval, resample, wilson
from tasks.reports.gold_steps import NONE, are_steps

KINDS = ("exact", "before", "after", "missed", "right none", "false alarm", "failed")
"""What a verdict is beside its label.

``before``, ``after``: another step than the first wrong one. ``missed``: no step, where one is wrong. ``false alarm``:
a step, where none is wrong. ``failed``: no verdict could be read.
"""


def of_steps(rows: pl.DataFrame, *, seed: int = 0) -> dict[str, Any] | None:
    """Returns how verdicts on first wrong steps compare with the labels, over all and by task; null for other labels.

    A failed answer is wrong. ``erroneous`` is the share of solutions with a wrong step whose first one was named,
    ``error_free`` that of the others in which none was named, ``f1`` their harmonic mean, ``within_one`` the share of
    the erroneous whose named step is at most one away, ``kinds`` how many verdicts were what.
    """
    if not are_steps(rows["label"]):
        return None
    known = rows.drop_nulls("label").with_columns(kind=_kind())
    tasks = sorted(known["task"].drop_nulls().unique().to_list())
    return {
        **_rates(known, seed),
        "kinds": {kind: known.filter(pl.col("kind") == kind).height for kind in KINDS},
        "tasks": {task: _rates(known.filter(pl.col("task") == task), seed) for task in tasks},
    }


def explanations(rows: pl.DataFrame) -> Rate:
    """Returns the share of explanations that were graded right, of all that were graded."""
    if "reason_ok" not in rows.columns:
        return NOTHING
    graded = rows["reason_ok"].drop_nulls()
    return wilson(int(graded.sum()), graded.len())


def _kind() -> pl.Expr:
    said, label = (pl.col(name).cast(pl.Int64, strict=False) for name in ("read", "label"))
    none = pl.col("label") == NONE
    return (
        pl.when((pl.col("read") == FAILED) | (said.is_null() & (pl.col("read") != NONE))).then(pl.lit("failed"))
        .when(none & (pl.col("read") == NONE)).then(pl.lit("right none"))
        .when(none).then(pl.lit("false alarm"))
        .when(pl.col("read") == NONE).then(pl.lit("missed"))
        .when(said == label).then(pl.lit("exact"))
        .when(said < label).then(pl.lit("before"))
        .otherwise(pl.lit("after"))
    )  # fmt: skip


def _rates(known: pl.DataFrame, seed: int) -> dict[str, Rate]:
    free = known.filter(pl.col("label") == NONE)
    wrong = known.filter(pl.col("label") != NONE)
    away = wrong["read"].cast(pl.Int64, strict=False) - wrong["label"].cast(pl.Int64)
    return {
        "erroneous": wilson(int((wrong["kind"] == "exact").sum()), wrong.height),
        "error_free": wilson(int((free["kind"] == "right none").sum()), free.height),
        "f1": _f1(known, seed),
        "within_one": wilson(int((away.abs() <= 1).sum()), wrong.height),
    }


def _f1(known: pl.DataFrame, seed: int) -> Rate:
    """Returns the harmonic mean of both accuracies; null where all solutions are of one kind."""
    counts = known.group_by("item_id", maintain_order=True).agg(
        (pl.col("kind") == "exact").sum(), wrong=(pl.col("label") != NONE).sum(),
        right=(pl.col("kind") == "right none").sum(), free=(pl.col("label") == NONE).sum(),
    ).drop("item_id").to_numpy().astype(np.float64)  # fmt: skip
    whole = harmonic(counts.sum(axis=0))
    if np.isnan(whole):
        return NOTHING
    return interval(float(whole), resample(counts, harmonic, seed=seed), known.height)


def harmonic(counts: Floats) -> Floats:
    """Returns the harmonic mean of two shares, given as their hits and cases in the last axis.

    >>> float(harmonic(np.array([3.0, 4.0, 1.0, 2.0])))
    0.6
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = counts[..., 0] / counts[..., 1], counts[..., 2] / counts[..., 3]
        mean = 2 * one * other / (one + other)
    return np.asarray(np.where((one == 0) & (other == 0), 0.0, mean))
