"""Stepwise rows in OpenR's merged shape: question, the process with a tag after every step, and its labels.

Source: OpenR (arXiv:2410.09671), data loader: question, process, label.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of

TAG = "\n\n\n\n\n"


@export
def openr(steps: pl.DataFrame, *, tag: str = TAG, threshold: float = 0.5) -> pl.DataFrame:
    """Returns question, process and label (a list of + and -), one row a steps row, by step_row_id.

    Args:
        tag: stands after every step. threshold: + from this label on.

    Raises:
        ValueError: a step holds the tag, or labels are not one a step.
    """
    rows = []
    for row in steps.sort("step_row_id").iter_rows(named=True):
        texts, labels = row["completions"], row["labels"]
        if labels is None or len(labels) != len(texts):
            raise ValueError(f"row {row['step_row_id']}: {len(texts)} steps stand against {len(labels or ())} labels")
        if len("".join(text + tag for text in texts).split(tag)) != len(texts) + 1:
            raise ValueError(f"row {row['step_row_id']}: a step holds or borders the tag {tag!r}; name another one")
        rows.append(
            {
                "question": text_of(row["prompt"]), "process": "".join(text + tag for text in texts),
                "label": ["+" if label >= threshold else "-" for label in labels],
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema={"question": pl.String, "process": pl.String, "label": pl.List(pl.String)})


def back(process: str, label: list[str], *, tag: str = TAG) -> tuple[list[str], list[bool]]:
    """Returns the steps and labels of a row."""
    steps = process.split(tag)[:-1]
    if len(steps) != len(label):
        raise ValueError(f"{len(steps)} steps stand against {len(label)} labels")
    return steps, [sign == "+" for sign in label]
