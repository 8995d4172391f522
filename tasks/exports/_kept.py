"""What a trainer's format has no place for, in one more column, so that an exported row leads back to what it was.

Source: the tables steps and preferences; the nodes table, whose rows a path's texts, ids and counts are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

COLUMN = "pairwright"
_LOG = ("created_at", "dataset", "run_id")
"""Columns of the store, not of the row."""


def kept(row: Mapping[str, Any], shown: Sequence[str], **more: Any) -> dict[str, str]:
    """Returns the extra column with all of a row but what the format shows.

    Args:
        shown: columns that are read off the format. more: what is needed for that.
    """
    rest = {name: value for name, value in row.items() if name not in (*shown, *_LOG)}
    return {COLUMN: orjson.dumps({"row": rest, **more}, option=orjson.OPT_SORT_KEYS).decode()}


def restored(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was kept of a row.

    Raises:
        ValueError: it was exported without.
    """
    if COLUMN not in row:
        raise ValueError(f"the rows have no column {COLUMN!r}: they were exported without --set keep=true")
    found: dict[str, Any] = orjson.loads(row[COLUMN])
    return found


def labels_of(row: Mapping[str, Any]) -> list[float]:
    """Returns the labels of a steps row.

    Raises:
        ValueError: they are not one a step.
    """
    labels: list[float] | None = row["labels"]
    if labels is None or len(labels) != len(row["completions"]):
        steps, told = len(row["completions"]), len(labels or ())
        raise ValueError(f"{steps} steps stand against {told} labels")
    return labels


_COUNTS = ("visits", "rollouts", "successes", "values", "rewards")


def nodes(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns node id -> what steps rows say of the node: its place, text, counts, value and label.

    Args:
        rows: of the steps table, as they were or as an export's ``back`` returns them.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        meta = orjson.loads(row["meta"])
        above = meta.get("root_id")
        for place, (name, text) in enumerate(zip(meta["node_ids"], row["completions"], strict=True)):
            found[name] = {
                "node_id": name, "prompt_id": row["prompt_id"], "tree_id": meta["tree_id"], "parent_id": above,
                "depth": place + 1, "text": text, "label": None if row["labels"] is None else row["labels"][place],
                **{key.removesuffix("s") if key in ("values", "rewards") else key: meta[key][place]
                   for key in _COUNTS if key in meta},
            }  # fmt: skip
            above = name
    return found
