"""Stepwise rows as TRL's process reward trainer loads them.

Source: TRL, dataset formats: stepwise supervision (prompt, completions, labels); its PRMTrainer adds the separator.
"""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from schemas.blocks import export
from schemas.messages import text_of

ROWS: dict[str, Any] = {"prompt": pl.String, "completions": pl.List(pl.String), "labels": pl.List(pl.Boolean)}


@export
def trl_stepwise(
    steps: pl.DataFrame, *, separator: str = "\n", threshold: float = 0.5, keep: bool = False
) -> pl.DataFrame:
    """Returns prompt, completions (without the separator at their ends) and labels (true or false), by step_row_id.

    Args:
        separator: what ends a step and is added again by the trainer.
        threshold: a label is true from here on.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a row's labels are not one a step.
    """
    rows = []
    for row in steps.sort("step_row_id").iter_rows(named=True):
        texts, labels = row["completions"], row["labels"]
        if labels is None or len(labels) != len(texts):
            raise ValueError(f"row {row['step_row_id']}: {len(texts)} steps stand against {len(labels or ())} labels")
        made = {
            "prompt": text_of(row["prompt"]), "completions": [text.removesuffix(separator) for text in texts],
            "labels": [label >= threshold for label in labels],
        }  # fmt: skip
        rows.append(made | ({"pairwright": _rest(row, texts, separator)} if keep else {}))
    return pl.DataFrame(rows, schema=ROWS | ({"pairwright": pl.String} if keep else {}))


def _rest(row: dict[str, Any], texts: list[str], separator: str) -> str:
    kept = {name: row[name] for name in row if name not in ("completions", "created_at", "dataset", "run_id")}
    kept["ended"] = [text.endswith(separator) and separator != "" for text in texts]
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def back(rows: pl.DataFrame, *, separator: str = "\n") -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were."""
    found = []
    for row in rows.iter_rows(named=True):
        kept = orjson.loads(row["pairwright"])
        ended = kept.pop("ended")
        texts = [text + separator if end else text for text, end in zip(row["completions"], ended, strict=True)]
        found.append(kept | {"completions": texts})
    return found
