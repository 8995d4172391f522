"""Pages about searches: one tree drawn so that a label is understood at a glance, and many trees in plots.

Source: Guo et al. 2017, arXiv:1706.04599 (calibration of step values); the drawing is described in ``_tree_svg``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import orjson
import polars as pl

from tasks.reports._statistics import Bin, wilson
from tasks.reports._svg import bars, curve
from tasks.reports._tree_svg import drawing
from tasks.reports.audit_page import STYLE

_MORE = """
body{max-width:none}.tree{width:auto;max-width:none;height:auto}
.node rect{fill:var(--v);stroke:var(--line);stroke-width:1.2}
.node.best rect{stroke:var(--dot);stroke-width:2.4}.node.wrong rect{stroke:#c0261b;stroke-width:3;stroke-dasharray:6 3}
.edge{fill:none;stroke:var(--line);stroke-width:1.4}.edge.best{stroke:var(--dot);stroke-width:3}
.pair{fill:none;stroke:#b07d00;stroke-width:2}.node.chosen text:first-of-type{font-weight:600}
.node.lost text:first-of-type{text-decoration:line-through}.plots{display:flex;flex-wrap:wrap;gap:1.5rem}
.plots>div{flex:1 1 20rem;max-width:32rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}
"""


def tree_page(nodes: pl.DataFrame, preferences: pl.DataFrame | None = None, *, prompt: str = "", made: str = "") -> str:
    """Returns one tree as an HTML page: values, visits, the best path, first errors and the pairs taken.

    Args:
        nodes: the rows of one tree. preferences: pairs, those of this tree are shown; others are ignored.
        prompt: its text. made: when and by what, under the title.

    Raises:
        ValueError: the rows are of no tree or of several.
    """
    rows = _rows(nodes)
    ids = {row["node_id"] for row in rows}
    pairs = [] if preferences is None else [
        (one, other) for one, other in preferences.select("chosen_id", "rejected_id").iter_rows()
        if one in ids and other in ids
    ]  # fmt: skip
    errors = {row["node_id"] for row in rows if row["meta"].get("first_error")}
    values = [row["value"] for row in rows if row["value"] is not None]
    low, high = min([0.0, *values]), max([1.0, *values])
    svg = drawing(rows, best=best_path(rows), errors=errors, pairs=pairs, span=(low, high))
    root = rows[0]
    about = ", ".join(f"{key} {root['meta'][key]}" for key in ("search", "samples", "requests") if key in root["meta"])
    parts = [
        f"<h1>Search tree of {escape(root['prompt_id'][:12])}</h1>", f"<pre>{escape(prompt)}</pre>",
        f'<p class="note">{len(rows)} nodes, {escape(about)}. {escape(made)}</p>',
        '<p class="note">Blue: the best path. Red dashes: the first wrong step. Ochre: a pair, from the rejected step '
        f"(struck out) to the chosen one (bold); {len(pairs)} here. Colour: value, from red ({low:.2f}) to green "
        f"({high:.2f}). ✓ and ✗: right and wrong ends.</p>",
        f'<div class="wide">{svg}</div>',
    ]  # fmt: skip
    return _page(f"Tree {root['tree_id'][:12]}", parts)


def search_page(nodes: pl.DataFrame, *, title: str = "Searches", made: str = "") -> str:
    """Returns plots over many trees: depth, branching, what values say against how rollouts end, and their spread."""
    rows = [row | {"meta": orjson.loads(row["meta"] or "{}")} for row in nodes.iter_rows(named=True)]
    steps = [row for row in rows if row["parent_id"] is not None]
    ends = [row for row in steps if row["terminal"]]
    children = Counter(row["parent_id"] for row in steps)
    count = len({row["tree_id"] for row in rows})
    judged = [row for row in ends if row["reward"] is not None]
    right = wilson(sum(row["reward"] >= 0.5 for row in judged), len(judged))
    plots = [
        ("Depth of ends", _histogram(Counter(row["depth"] for row in ends))),
        ("Children a node", _histogram(Counter(children.values()))),
        ("Judged rollouts a node", _histogram(Counter(_bucket(row["rollouts"] or 0) for row in steps))),
        ("Right rollouts, by depth", bars(_by_depth(steps))),
        ("Value against share of right rollouts", curve(calibration(steps), low=0.0)),
    ]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="note">{count} trees, {len(steps)} steps; distinct ends right: {right}. {escape(made)}</p>',
        '<div class="plots">', *(f"<div><h2>{name}</h2>{svg}</div>" for name, svg in plots), "</div>",
    ]  # fmt: skip
    return _page(title, parts)


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


def calibration(steps: Sequence[Mapping[str, Any]], bins: int = 10) -> list[Bin]:
    """Returns the share of right rollouts by what the value (brought to 0 to 1) said; ends are left out."""
    told: dict[int, list[tuple[float, int, int]]] = {}
    for row in steps:
        if row["terminal"] or row["value"] is None or not row["rollouts"]:
            continue
        value = min(max(row["value"], 0.0), 1.0)
        told.setdefault(min(int(value * bins), bins - 1), []).append((value, row["successes"] or 0, row["rollouts"]))
    return [
        Bin(sum(v for v, _, _ in seen) / len(seen), wilson(sum(s for _, s, _ in seen), sum(n for _, _, n in seen)))
        for _, seen in sorted(told.items())
    ]


def _rows(nodes: pl.DataFrame) -> list[dict[str, Any]]:
    rows = [row | {"meta": orjson.loads(row["meta"] or "{}")} for row in nodes.iter_rows(named=True)]
    if len({row["tree_id"] for row in rows}) != 1:
        raise ValueError(f"the nodes are of {len({row['tree_id'] for row in rows})} trees; a page shows one")
    return sorted(rows, key=lambda row: (row["depth"], row["meta"].get("order", 0), row["node_id"]))


def _by_depth(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    found: dict[int, list[int]] = {}
    for row in steps:
        if row["rollouts"]:
            counts = found.setdefault(row["depth"], [0, 0])
            counts[0] += row["successes"] or 0
            counts[1] += row["rollouts"]
    return [(f"step {depth}", wilson(*counts)) for depth, counts in sorted(found.items())]


def _bucket(count: int) -> int:
    """Returns the power of two at or below a count, 0 for none."""
    return 1 << (count.bit_length() - 1) if count else 0


def _histogram(counts: Mapping[int, int]) -> str:
    total = sum(counts.values())
    return bars([(str(key), wilson(count, total)) for key, count in sorted(counts.items())])


def _page(title: str, parts: Sequence[str]) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_MORE}</style></head><body>{''.join(parts)}</body></html>"
    )
