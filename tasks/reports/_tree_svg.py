"""A search tree as SVG: one row an end, one column a step, so that a path reads from left to right.

Source: Reingold and Tilford 1981 (tidy drawings: children in order, parents amid their children).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

COLUMN, ROW, BOX, TALL = 208, 46, 184, 36
_FITS = 27


def places(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Returns node id -> (column, row); rows come parents first, children in their order."""
    children: dict[str | None, list[str]] = {}
    depth = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row["node_id"])
        depth[row["node_id"]] = row["depth"]
    found: dict[str, tuple[float, float]] = {}
    ends = 0
    order: list[str] = []
    stack = [row["node_id"] for row in rows if row["parent_id"] is None]
    while stack:
        name = stack.pop()
        order.append(name)
        stack += reversed(children.get(name, []))
    for name in order:
        if name not in children:
            found[name] = (depth[name], float(ends))
            ends += 1
    for name in reversed(order):
        if name in children:
            below = [found[child][1] for child in children[name]]
            found[name] = (depth[name], (below[0] + below[-1]) / 2)
    return found


def drawing(
    rows: Sequence[Mapping[str, Any]], *, best: Collection[str], errors: Collection[str],
    pairs: Sequence[tuple[str, str]], span: tuple[float, float],
) -> str:  # fmt: skip
    """Returns the SVG of a tree.

    Args:
        best: ids of the nodes on the best path. errors: of first errors. pairs: (chosen, rejected) ids.
        span: lowest and highest value, for the colours.
    """
    at = {name: (column * COLUMN + 6, row * ROW + 20) for name, (column, row) in places(rows).items()}
    width = max(x for x, _ in at.values()) + BOX + 44
    height = max(y for _, y in at.values()) + TALL + 12
    chosen, rejected = {one for one, _ in pairs}, {other for _, other in pairs}
    parts = [f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" class="tree">']
    parts += [
        _edge(at[row["parent_id"]], at[row["node_id"]], row["node_id"] in best) for row in rows if row["parent_id"]
    ]
    parts += [_tie(at[one], at[other], i) for i, (one, other) in enumerate(pairs) if one in at and other in at]
    for row in rows:
        name = row["node_id"]
        kinds = [kind for kind, names in (("best", best), ("wrong", errors), ("chosen", chosen), ("lost", rejected))
                 if name in names]  # fmt: skip
        parts.append(_box(row, at[name], kinds, span))
    return "".join([*parts, "</svg>"])


def _edge(start: tuple[float, float], end: tuple[float, float], thick: bool) -> str:
    (x0, y0), (x1, y1) = (start[0] + BOX, start[1] + TALL / 2), (end[0], end[1] + TALL / 2)
    middle = (x0 + x1) / 2
    kind = "edge best" if thick else "edge"
    return (
        f'<path d="M{x0:.0f} {y0:.0f}C{middle:.0f} {y0:.0f} {middle:.0f} {y1:.0f} {x1:.0f} {y1:.0f}" class="{kind}"/>'
    )


def _tie(one: tuple[float, float], other: tuple[float, float], number: int) -> str:
    """Returns the arc from a rejected step to the chosen one, right of both."""
    x = max(one[0], other[0]) + BOX
    y0, y1 = other[1] + TALL / 2, one[1] + TALL / 2
    out = x + 14 + 5 * (number % 4)
    return (
        f'<path d="M{other[0] + BOX:.0f} {y0:.0f}C{out:.0f} {y0:.0f} {out:.0f} {y1:.0f} {one[0] + BOX:.0f} {y1:.0f}" '
        'class="pair"><title>pair: from the rejected step to the chosen one</title></path>'
    )


def _box(row: Mapping[str, Any], at: tuple[float, float], kinds: Sequence[str], span: tuple[float, float]) -> str:
    x, y = at
    value, text = row["value"], " ".join(row["text"].split()) or "(prompt)"
    shown = text if len(text) <= _FITS else text[: _FITS - 1] + "…"
    fill = "none" if value is None else _colour(value, span)
    end = (
        " ✓"
        if row["terminal"] and (row["reward"] or 0) >= 0.5
        else " ✗"
        if row["terminal"] and row["reward"] == 0
        else ""
    )
    mc = f" · {row['successes']}/{row['rollouts']} right" if row["rollouts"] else ""
    said = f"{'–' if value is None else f'{value:.2f}'} · {row['visits'] or 0} visits{mc}{end}"
    return (
        f'<g class="{" ".join(["node", *kinds])}"><title>{escape(row["text"] or "(prompt)")}</title>'
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{TALL}" rx="5" style="--v:{fill}"/>'
        f'<text x="{x + 6:.0f}" y="{y + 15:.0f}">{escape(shown)}</text>'
        f'<text x="{x + 6:.0f}" y="{y + 29:.0f}" class="small">{escape(said)}</text></g>'
    )


def _colour(value: float, span: tuple[float, float]) -> str:
    low, high = span
    share = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5
    return f"hsl({round(8 + 122 * share)} 60% 50% / .28)"
