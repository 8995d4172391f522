"""Importers: solutions with a labelled first wrong step, and what critics said of them.

Source: Tyen et al. 2023, arXiv:2311.08516 (BIG-Bench Mistake); Zeng et al. 2023, arXiv:2312.17080 (MR-GSM8K).
"""

from __future__ import annotations

import polars as pl

from tasks.reports.gold import VERDICTS, Imported, outcome, plain, shaped

NONE = "none"
"""The label of a solution without a wrong step, in gold labels and in verdicts."""


def are_steps(labels: pl.Series) -> bool:
    """Says whether labels name first wrong steps: numbers from 1, or ``none``."""
    known = labels.drop_nulls()
    return known.len() > 0 and bool((known.str.contains(r"^[1-9]\d*$") | (known == NONE)).all())


def bigbench_mistake(solutions: pl.DataFrame) -> Imported:
    """Returns BIG-Bench Mistake as gold: the number of the first wrong step, from 1, or ``none``; no verdicts came.

    Args:
        solutions: task, item, input, steps, mistake_index (from 0; null where there is no mistake). An index that no
            step has is no label.
    """
    place = pl.col("mistake_index")
    label = (
        pl.when(place.is_null()).then(pl.lit(NONE))
        .when(place.is_between(0, pl.col("steps").list.len().cast(pl.Int64) - 1))
        .then((place + 1).cast(pl.Int64).cast(pl.String))
    )  # fmt: skip
    gold = solutions.select(
        "task", "steps", item_id=pl.format("bigbench_mistake/{}/{}", "task", "item"), label=label,
        prompt=pl.format("({})\n\n{}", pl.col("task").str.replace_all("_", " "), "input"),
    )  # fmt: skip
    return Imported(plain(gold), shaped(pl.DataFrame(), VERDICTS).clear())


def mrgsm8k(first_error: pl.DataFrame, critics: pl.DataFrame | None = None) -> Imported:
    """Returns first wrong steps of MR-GSM8K as gold (the label is the step's number) and the critics' answers.

    Args:
        first_error: uuid, question, question_type, steps, first_error_step; ``solution_correct`` tells those without a
            wrong step, which are ``none``.
        critics: uuid, critic, pred_error_step; ``reason_ok`` (correct, incorrect) is the grade of the explanation. The
            source kept selected cases: they are no sample for accuracy.

    Raises:
        ValueError: the critics' outputs lack a column.
    """
    name = pl.format("mrgsm8k/{}", "uuid")
    right = pl.col("solution_correct") if "solution_correct" in first_error.columns else pl.lit(False)
    gold = first_error.select(
        "steps", item_id=name, label=pl.coalesce(_number("first_error_step"), pl.when(right).then(pl.lit(NONE))),
        prompt="question", subset="question_type",
    )  # fmt: skip
    if critics is None:
        return Imported(plain(gold), shaped(pl.DataFrame(), VERDICTS).clear())
    if missing := {"uuid", "critic", "pred_error_step"} - set(critics.columns):
        raise ValueError(f"critics' outputs need the column {min(missing)!r}; they have {', '.join(critics.columns)}")
    step = _number("pred_error_step")
    graded = pl.col("reason_ok") if "reason_ok" in critics.columns else pl.lit(None, pl.String)
    grade = graded.replace_strict({"correct": True, "incorrect": False}, default=None, return_dtype=pl.Boolean)
    verdicts = critics.select(item_id=name, judge="critic", verdict=step, outcome=outcome(step), reason_ok=grade)
    return Imported(plain(gold), shaped(verdicts, VERDICTS))


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.extract(r"^\s*(?:[Ss]tep\s*)?(\d+)\s*$")
