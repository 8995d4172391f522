"""Pages about searches: one tree drawn so that a label is understood at a glance, and many trees in plots.

Source: Guo et al. 2017, arXiv:1706.04599 (calibration of step values); the drawing is described in ``_tree_svg``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import orjson
import polars as pl

from tasks.reports import _tree_parts as parts
from tasks.reports import _tree_svg as svg
from tasks.reports import search_page
from tasks.reports._html import STYLE, value

LOOK = svg.LOOK + parts.LOOK + search_page.LOOK
MOST = 120
"""Steps of a tree that are drawn; of larger ones those that matter."""


def tree_page(
    nodes: pl.DataFrame, preferences: pl.DataFrame | None = None, steps: pl.DataFrame | None = None, *,
    prompt: str = "", made: str = "", back: str = "",
) -> str:  # fmt: skip
    """Returns one tree as an HTML page: values, visits, the best path, first errors, labels and the pairs taken.

    Args:
        nodes: the rows of one tree. preferences, steps: of a dataset; those made of this tree are shown.
        prompt: its text. made: of what version, under the title. back: HTML of links above it.

    Raises:
        ValueError: the rows are of no tree or of several.
    """
    root = _rows(nodes)[0]
    body = [
        back, f"<h1>Search tree {escape(root['tree_id'][:8])}</h1>", f'<p class="note">{escape(made)}</p>',
        f'<p class="question">{escape(prompt)}</p>', section(nodes, preferences, steps, level=2),
    ]  # fmt: skip
    return whole(f"Tree {root['tree_id'][:8]}", "".join(body))


def section(
    nodes: pl.DataFrame, preferences: pl.DataFrame | None = None, steps: pl.DataFrame | None = None, *, level: int = 3
) -> str:
    """Returns what a page shows of one tree: numbers, the drawing, its legend, its pairs, the tree as a list."""
    rows = _rows(nodes)
    by_id = {row["node_id"]: row for row in rows}
    taken = _taken(preferences, by_id)
    errors = {row["node_id"] for row in rows if row["meta"].get("first_error")}
    values = [row["value"] for row in rows if row["value"] is not None]
    marks = svg.Marks(
        best=best_path(rows), errors=errors, pairs=[(pair["chosen_id"], pair["rejected_id"]) for pair in taken],
        labels=_labels(steps, by_id), span=(min([0.0, *values]), max([1.0, *values])),
    )  # fmt: skip
    wanted = {*marks.best, *errors, *(name for pair in marks.pairs for name in pair)}
    shown, marks.hidden = parts.trimmed(rows, wanted, MOST)
    name = escape(rows[0]["tree_id"][:8])
    told = f"A tree of {len(rows) - 1} steps with {len(taken)} pairs; the same stands in the list below it."
    picture = (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Tree {name}">'
        f"{svg.drawing(shown, marks, title=told)}</div>"
    )
    head = f"h{level}"
    return "".join(
        [
            _tiles(rows, len(taken)), parts.legend(marks, bool(marks.labels)), picture,
            f"<{head}>Pairs taken</{head}>{parts.pairs(taken, by_id, name)}" if taken else "",
            f"<details><summary>The tree as a list</summary>{parts.listed(rows, marks)}</details>",
        ]
    )  # fmt: skip


def best_path(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Returns the ids of the path of most visited (then best, then first) children that were evaluated."""
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)
    node, found = rows[0], {rows[0]["node_id"]}
    while known := [row for row in children.get(node["node_id"], []) if row["value"] is not None]:
        node = min(known, key=lambda row: (-(row["visits"] or 0), -row["value"], row["meta"].get("order", 0)))
        found.add(node["node_id"])
    return found


def _rows(nodes: pl.DataFrame) -> list[dict[str, Any]]:
    rows = [row | {"meta": orjson.loads(row["meta"] or "{}")} for row in nodes.iter_rows(named=True)]
    if len({row["tree_id"] for row in rows}) != 1:
        raise ValueError(f"the nodes are of {len({row['tree_id'] for row in rows})} trees; a page shows one")
    return sorted(rows, key=lambda row: (row["depth"], row["meta"].get("order", 0), row["node_id"]))


def _taken(preferences: pl.DataFrame | None, by_id: Mapping[str, Any]) -> list[dict[str, Any]]:
    if preferences is None:
        return []
    ids = list(by_id)
    own = preferences.filter(pl.col("chosen_id").is_in(ids), pl.col("rejected_id").is_in(ids))
    found = own.iter_rows(named=True)
    return sorted(found, key=lambda pair: (by_id[pair["chosen_id"]]["depth"], -(pair.get("margin") or 0.0)))


def _labels(steps: pl.DataFrame | None, by_id: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in [] if steps is None else steps.iter_rows(named=True):
        names = orjson.loads(row["meta"] or "{}").get("node_ids") or []
        found |= {name: label for name, label in zip(names, row["labels"] or (), strict=False) if name in by_id}
    return found


def _tiles(rows: Sequence[Mapping[str, Any]], taken: int) -> str:
    ends = [row for row in rows if row["terminal"] and row["reward"] is not None]
    root = rows[0]
    tiles = [
        ("search", root["meta"].get("search")), ("steps", len(rows) - 1),
        ("right ends", f"{sum(row['reward'] >= 0.5 for row in ends)} of {len(ends)}" if ends else None),
        ("solved, by rollouts", f"{root['successes'] or 0} of {root['rollouts']}" if root["rollouts"] else None),
        ("samples", root["meta"].get("samples")), ("pairs", taken or None),
    ]  # fmt: skip
    shown = "".join(f"<div><dt>{name}</dt><dd>{value(told)}</dd></div>" for name, told in tiles if told is not None)
    return f'<dl class="tiles">{shown}</dl>'


def whole(title: str, body: str) -> str:
    """Returns a page with the look of trees."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><style>{STYLE}{LOOK}</style></head><body class="trees"><main>{body}</main>'
        "</body></html>\n"
    )
