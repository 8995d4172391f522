"""Stepwise rows in Math-Shepherd's shape: every step closed by a mark, and the same text with + and - in its place.

Source: Math-Shepherd (arXiv:2312.08935), released data: columns input, label, task.

Use it for trainers of process reward models written for that release. It is bad at soft values: a step is + or -.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._chat import each
from tasks.exports._kept import COLUMN, kept, labels_of, restored

MARK = "ки"


@export
def math_shepherd(
    steps: pl.DataFrame, *, mark: str = MARK, threshold: float = 0.5, task: str = "Math", keep: bool = False
) -> pl.DataFrame:
    """Returns input, label and task, one row a steps row, by step_row_id.

    The format has signs, no numbers, no ids, and no border between question and first step: those are lost without
    ``keep``. The line breaks that end a step stand after its mark.

    Args:
        mark: closes a step in ``input``. threshold: + from this label on. task: what the column says.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a text holds the mark, or labels are not one a step.
    """

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        prompt, texts, labels = text_of(row["prompt"]), row["completions"], labels_of(row)
        if any(mark in text for text in (prompt, *texts)):
            raise ValueError(f"a text holds the mark {mark!r} itself; name another one")
        parts = [(text.rstrip("\n"), text[len(text.rstrip("\n")) :]) for text in texts]
        signs = ["+" if label >= threshold else "-" for label in labels]
        return {
            "input": prompt + " " + "".join(f"{text} {mark}{end}" for text, end in parts),
            "label": prompt + " " + "".join(f"{t} {s}{end}" for (t, end), s in zip(parts, signs, strict=True)),
            "task": task, **(kept(row, ("completions",), ends=[len(end) for _, end in parts]) if keep else {}),
        }  # fmt: skip

    rows = each(steps, "step_row_id", shape)
    more = {COLUMN: pl.String} if keep else {}
    return pl.DataFrame(rows, schema={"input": pl.String, "label": pl.String, "task": pl.String, **more})


def back(rows: pl.DataFrame, *, mark: str = MARK) -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were; their texts are read off ``input``."""
    found = []
    for row in rows.iter_rows(named=True):
        held = restored(row)
        text = row["input"][len(text_of(held["row"]["prompt"])) + 1 :]
        texts: list[str] = []
        ends = [0, *held["ends"]]
        for place, piece in enumerate(text.split(f" {mark}")[:-1]):
            if place:
                texts[-1] += piece[: ends[place]]
            texts.append(piece[ends[place] :])
        if texts:
            texts[-1] += text[len(text) - ends[-1] :] if ends[-1] else ""
        found.append({**held["row"], "completions": texts})
    return found


def read(text: str, label: str, *, mark: str = MARK) -> tuple[str, list[bool]]:
    """Returns the text without marks (question and steps) and the labels of a row, whoever made it.

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
