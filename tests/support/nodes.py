"""Small trees as rows of the nodes table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import polars as pl

from schemas.tables import NODES

TYPES = {name: kind for name, kind in NODES.empty().schema.items() if name not in ("run_id", "created_at")}


def tree(steps: Mapping[str, Mapping[str, Any]], tree_id: str = "t", prompt_id: str = "p") -> pl.DataFrame:
    """Returns a tree of paths: ``{"a/b": {"value": .5}}`` is step ``b`` after step ``a``, with the text ``b\\n``.

    A step's id is its path, the root's is ``root``; ``meta`` is a dict. What a step does not say is null, visits 0.
    """
    paths = dict.fromkeys(["", *steps])
    rows = []
    for order, path in enumerate(paths):
        said = dict(steps.get(path, {}))
        parts = path.split("/") if path else []
        meta = {"order": order, **said.pop("meta", {})}
        row = {
            "node_id": _id(path, tree_id), "prompt_id": prompt_id, "tree_id": tree_id, "depth": len(parts),
            "text": f"{parts[-1]}\n" if parts else "", "terminal": False, "visits": 0,
            "parent_id": _id("/".join(parts[:-1]), tree_id) if parts else None,
            "meta": orjson.dumps(meta).decode(), **said,
        }  # fmt: skip
        rows.append(row)
    return pl.DataFrame(rows, schema=TYPES)


def _id(path: str, tree_id: str) -> str:
    name = path or "root"
    return name if tree_id == "t" else f"{tree_id}:{name}"


def toy() -> pl.DataFrame:
    """Returns the tree of the worked queries: A and B under the root, with the ends A1, A2 and B1."""
    end = {"terminal": True}
    return tree(
        {
            "A": {"value": 0.6, "visits": 8, "rollouts": 4, "successes": 3, "meta": {"played": True}},
            "B": {"value": -0.4, "visits": 3, "rollouts": 4, "successes": 1},
            "A/A1": {"value": 1.0, "visits": 4, "reward": 1.0, "rollouts": 4, "successes": 4, **end},
            "A/A2": {"value": -1.0, "visits": 4, "reward": 0.0, "rollouts": 4, "successes": 0, **end},
            "B/B1": {"value": -1.0, "visits": 2, "reward": 0.0, "rollouts": 2, "successes": 0, **end},
        }
    )  # fmt: skip


def pairs(frame: pl.DataFrame) -> list[tuple[str, str]]:
    """Returns (chosen id, rejected id) of every row."""
    return list(frame.select("chosen_id", "rejected_id").iter_rows())


def meta(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Returns the meta of every row."""
    return [orjson.loads(text) for text in frame["meta"]]
