"""Stepwise rows as TRL's process reward trainer loads them.

Source: TRL, dataset formats: stepwise supervision (prompt, completions, labels); its PRMTrainer, which TRL had up to
version 1.13, adds the separator and holds the labels against the tokens at the steps' ends.

Use it where TRL trains a process reward model. It is bad at soft values: labels are true or false.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._kept import COLUMN, kept, labels_of, restored

ROWS: dict[str, Any] = {"prompt": pl.String, "completions": pl.List(pl.String), "labels": pl.List(pl.Boolean)}


@export
def trl_stepwise(
    steps: pl.DataFrame, *, separator: str = "\n", threshold: float = 0.5, keep: bool = False
) -> pl.DataFrame:
    """Returns prompt, completions (without the separator at their ends) and labels (true or false), by step_row_id.

    The format has no numbers and no ids: those are lost without ``keep``. A prompt of several messages is their texts.

    Args:
        separator: what ends a step and is added again by the trainer.
        threshold: a label is true from here on.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a row's labels are not one a step.
    """
    rows = []
    for row in steps.sort("step_row_id").iter_rows(named=True):
        texts, labels = row["completions"], labels_of(row)
        made = {
            "prompt": text_of(row["prompt"]), "completions": [text.removesuffix(separator) for text in texts],
            "labels": [label >= threshold for label in labels],
        }  # fmt: skip
        ended = [text.endswith(separator) and separator != "" for text in texts]
        rows.append(made | (kept(row, ("completions",), ended=ended) if keep else {}))
    return pl.DataFrame(rows, schema=ROWS | ({COLUMN: pl.String} if keep else {}))


def back(rows: pl.DataFrame, *, separator: str = "\n") -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were; their texts are read off the columns."""
    found = []
    for row in rows.iter_rows(named=True):
        held = restored(row)
        pairs = zip(row["completions"], held["ended"], strict=True)
        found.append({**held["row"], "completions": [text + separator if end else text for text, end in pairs]})
    return found
