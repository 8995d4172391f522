"""Stepwise rows in Math-Shepherd's shape: every step closed by a mark, and the same text with + and - in its place.

Source: Math-Shepherd (arXiv:2312.08935), released data: columns input, label, task.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of

MARK = "ки"


@export
def math_shepherd(steps: pl.DataFrame, *, mark: str = MARK, threshold: float = 0.5, task: str = "Math") -> pl.DataFrame:
    """Returns input, label and task, one row a steps row, by step_row_id.

    Args:
        mark: closes a step in ``input``. threshold: + from this label on. task: what the column says.

    Raises:
        ValueError: a text holds the mark, or labels are not one a step.
    """
    rows = []
    for row in steps.sort("step_row_id").iter_rows(named=True):
        prompt, texts, labels = text_of(row["prompt"]), row["completions"], row["labels"]
        if labels is None or len(labels) != len(texts):
            raise ValueError(f"row {row['step_row_id']}: {len(texts)} steps stand against {len(labels or ())} labels")
        if any(mark in text for text in (prompt, *texts)):
            raise ValueError(f"row {row['step_row_id']} holds the mark {mark!r} itself; name another one")
        parts = [(text.rstrip("\n"), text[len(text.rstrip("\n")) :]) for text in texts]
        signs = ["+" if label >= threshold else "-" for label in labels]
        rows.append(
            {
                "input": prompt + " " + "".join(f"{text} {mark}{end}" for text, end in parts),
                "label": prompt + " " + "".join(f"{t} {s}{end}" for (t, end), s in zip(parts, signs, strict=True)),
                "task": task,
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema={"input": pl.String, "label": pl.String, "task": pl.String})


def back(text: str, label: str, *, mark: str = MARK) -> tuple[str, list[bool]]:
    """Returns the text without marks (question and steps) and the labels of a row.

    Raises:
        ValueError: the two texts differ in more than the marks.
    """
    pieces = text.split(f" {mark}")
    at, labels = 0, []
    for piece in pieces[:-1]:
        if label[at : at + len(piece)] != piece or label[at + len(piece) : at + len(piece) + 2] not in (" +", " -"):
            raise ValueError(f"input and label differ after {at} characters")
        labels.append(label[at + len(piece) + 1] == "+")
        at += len(piece) + 2
    if label[at:] != pieces[-1]:
        raise ValueError("input and label end differently")
    return "".join(pieces), labels
