"""Stepwise rows in OpenR's merged shape: question, the process with a tag after every step, and its labels.

Source: OpenR (arXiv:2410.09671), data loader: question, process, label.

Use it where OpenR trains a process reward model. It is bad at soft values: a step is + or -.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._kept import COLUMN, kept, labels_of, restored

TAG = "\n\n\n\n\n"


@export
def openr(steps: pl.DataFrame, *, tag: str = TAG, threshold: float = 0.5, keep: bool = False) -> pl.DataFrame:
    """Returns question, process and label (a list of + and -), one row a steps row, by step_row_id.

    The format has signs, no numbers and no ids: those are lost without ``keep``.

    Args:
        tag: stands after every step. threshold: + from this label on.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a step holds the tag, or labels are not one a step.
    """
    rows = []
    for row in steps.sort("step_row_id").iter_rows(named=True):
        texts, labels = row["completions"], labels_of(row)
        if "".join(text + tag for text in texts).split(tag) != [*texts, ""]:
            raise ValueError(f"row {row['step_row_id']}: a step holds or borders the tag {tag!r}; name another one")
        rows.append(
            {
                "question": text_of(row["prompt"]), "process": "".join(text + tag for text in texts),
                "label": ["+" if label >= threshold else "-" for label in labels],
                **(kept(row, ("completions",)) if keep else {}),
            }
        )  # fmt: skip
    types: dict[str, Any] = {"question": pl.String, "process": pl.String, "label": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=types | ({COLUMN: pl.String} if keep else {}))


def back(rows: pl.DataFrame, *, tag: str = TAG) -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were; their texts are read off ``process``."""
    return [
        {**restored(row)["row"], "completions": read(row["process"], row["label"], tag=tag)[0]}
        for row in rows.iter_rows(named=True)
    ]


def read(process: str, label: list[str], *, tag: str = TAG) -> tuple[list[str], list[bool]]:
    """Returns the steps and labels of a row, whoever made it."""
    steps = process.split(tag)[:-1]
    if len(steps) != len(label):
        raise ValueError(f"{len(steps)} steps stand against {len(label)} labels")
    return steps, [sign == "+" for sign in label]
