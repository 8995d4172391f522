"""Stepwise rows in OpenR's merged shape: question, the process with a tag after every step, and its labels.

Source: OpenR (arXiv:2410.09671), data loader: question, process, label.

Use it where OpenR trains a process reward model. It is bad at soft values: a step is + or -.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._chat import each
from tasks.exports._kept import COLUMN, kept, labels_of, restored

TAG = "\n\n\n\n\n"


@export
def openr(steps: pl.DataFrame, *, tag: str = TAG, threshold: float = 0.5, keep: bool = False) -> pl.DataFrame:
    """Returns question, process and label (a list of + and -), one row a steps row, by step_row_id.

    The line breaks that end a step give way to the tag. They are lost without ``keep``, as numbers and ids are, for
    which the format has no place.

    Args:
        tag: stands after every step. threshold: + from this label on.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a step holds the tag, or labels are not one a step.
    """

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        labels, texts = labels_of(row), [text.rstrip("\n") for text in row["completions"]]
        process = "".join(text + tag for text in texts)
        if process.split(tag) != [*texts, ""]:
            raise ValueError(f"a step holds or borders the tag {tag!r}; name another one")
        ends = [len(text) - len(bare) for text, bare in zip(row["completions"], texts, strict=True)]
        return {
            "question": text_of(row["prompt"]), "process": process,
            "label": ["+" if label >= threshold else "-" for label in labels],
            **(kept(row, ("completions",), ends=ends) if keep else {}),
        }  # fmt: skip

    rows = each(steps, "step_row_id", shape)
    types: dict[str, Any] = {"question": pl.String, "process": pl.String, "label": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=types | ({COLUMN: pl.String} if keep else {}))


def back(rows: pl.DataFrame, *, tag: str = TAG) -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were; their texts are read off ``process``."""
    found = []
    for row in rows.iter_rows(named=True):
        held, texts = restored(row), read(row["process"], row["label"], tag=tag)[0]
        whole = [text + "\n" * end for text, end in zip(texts, held["ends"], strict=True)]
        found.append({**held["row"], "completions": whole})
    return found


def read(process: str, label: list[str], *, tag: str = TAG) -> tuple[list[str], list[bool]]:
    """Returns the steps, without the line breaks at their ends, and the labels of a row, whoever made it."""
    steps = process.split(tag)[:-1]
    if len(steps) != len(label):
        raise ValueError(f"{len(steps)} steps stand against {len(label)} labels")
    return steps, [sign == "+" for sign in label]
