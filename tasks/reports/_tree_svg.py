"""A search tree as SVG: one row an end, one column a step, so that a path reads from left to right.

Source: Reingold and Tilford 1981 (tidy drawings: children in order, parents amid their children); Okabe and Ito 2008
(orange to blue-green, told apart by every kind of sight; no meaning is in a colour alone).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

COLUMN, ROW, BOX, TALL, TOP, ROOT, BAR = 220, 62, 192, 46, 14, 116, 30
_FITS = 28
Row = Mapping[str, Any]

LOOK = """
svg.tree{width:auto;max-width:none;height:auto}.tree text{font-size:12px}.tree .small{font-size:10.5px}
.node rect.box{fill:var(--v);stroke:var(--line);stroke-width:1.2}
.node.best rect.box{stroke:var(--bar);stroke-width:2.6}
.node.wrong rect.box{stroke:var(--warn);stroke-width:2.6;stroke-dasharray:6 3}
.edge{fill:none;stroke:var(--line);stroke-width:1.4}.edge.best{stroke:var(--bar);stroke-width:3}
.tie{fill:none;stroke:var(--ink);stroke-width:1.6;stroke-dasharray:2 3}
.track{fill:var(--line)}.level{fill:var(--bar)}.tag rect{fill:var(--back);stroke:var(--soft)}
.tag text{font-size:10.5px;font-weight:600}.tag.chosen rect,.tag.right rect{stroke:var(--good)}
.tag.chosen text,.tag.right text{fill:var(--good)}
.tag.rejected rect,.tag.error rect,.tag.lost rect{stroke:var(--warn)}
.tag.rejected text,.tag.error text,.tag.lost text{fill:var(--warn)}
.more{fill:none;stroke:var(--soft);stroke-dasharray:2 3}
"""


@dataclass
class Marks:
    """What is to be seen in a drawing beside the steps themselves.

    Attributes:
        best: ids on the best path. errors: of first wrong steps. pairs: (chosen, rejected), in the order of their
        numbers. labels: id -> label. span: lowest and highest value. hidden: id -> children that are not drawn.
    """

    best: Collection[str] = ()
    errors: Collection[str] = ()
    pairs: Sequence[tuple[str, str]] = ()
    labels: Mapping[str, float] = field(default_factory=dict)
    span: tuple[float, float] = (0.0, 1.0)
    hidden: Mapping[str, int] = field(default_factory=dict)

    def tags(self, row: Row) -> list[tuple[str, str]]:
        """Returns (class, words) of each tag a step wears."""
        name = row["node_id"]
        found = [("error", "first error")] if name in self.errors else []
        found += [("label", f"label {self.labels[name]:.2g}")] if name in self.labels else []
        found += [("chosen", f"chosen {i}") for i, (one, _) in enumerate(self.pairs, 1) if one == name]
        found += [("rejected", f"rejected {i}") for i, (_, other) in enumerate(self.pairs, 1) if other == name]
        if row["terminal"]:
            reward = row["reward"]
            found.append(("right", "✓ right") if reward is not None and reward >= 0.5 else
                         ("lost", "✗ wrong") if reward is not None else ("none", "? not judged"))  # fmt: skip
        return found


def places(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
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


def drawing(rows: Sequence[Row], marks: Marks, *, title: str) -> str:
    """Returns the SVG of a tree.

    Args:
        rows: parents before children. title: what a reader who sees no picture is told.
    """
    at = {
        name: (column * COLUMN - (BOX - ROOT if column else 0) + 4, row * ROW + TOP)
        for name, (column, row) in places(rows).items()
    }  # what all begin with is a narrow box
    width = max(x for x, _ in at.values()) + BOX + 40
    height = max(y for _, y in at.values()) + TALL + 12
    parts = [
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title)}" class="tree"><title>{escape(title)}</title>'
    ]
    edges = [(row["node_id"] in marks.best, row) for row in rows if row["parent_id"]]
    root = rows[0]["node_id"]
    for best, row in sorted(edges, key=_thin_first):
        above = at[row["parent_id"]]
        start = (above[0] + (ROOT if row["parent_id"] == root else BOX), above[1] + TALL / 2)
        parts.append(_edge(start, at[row["node_id"]], best))
    parts += [_tie(at[one], at[other], i) for i, (one, other) in enumerate(marks.pairs) if {one, other} <= at.keys()]
    parts += [_box(row, at[row["node_id"]], marks) for row in rows]
    return "".join([*parts, "</svg>"])


def _thin_first(edge: tuple[bool, Row]) -> bool:
    return edge[0]


def _edge(start: tuple[float, float], end: tuple[float, float], thick: bool) -> str:
    (x0, y0), (x1, y1) = start, (end[0], end[1] + TALL / 2)
    middle = (x0 + x1) / 2
    kind = "edge best" if thick else "edge"
    return (
        f'<path d="M{x0:.0f} {y0:.0f}C{middle:.0f} {y0:.0f} {middle:.0f} {y1:.0f} {x1:.0f} {y1:.0f}" class="{kind}"/>'
    )


def _tie(one: tuple[float, float], other: tuple[float, float], number: int) -> str:
    """Returns the arc between the two steps of a pair, right of both; endings in other columns are told by numbers."""
    if one[0] != other[0]:
        return ""
    x, y0, y1 = one[0] + BOX, other[1] + TALL - 8, one[1] + TALL - 8
    out = x + 16 + 5 * (number % 3)
    return (
        f'<path d="M{x:.0f} {y0:.0f}C{out:.0f} {y0:.0f} {out:.0f} {y1:.0f} {x:.0f} {y1:.0f}" class="tie">'
        f"<title>pair {number + 1}: rejected and chosen</title></path>"
    )


def _box(row: Row, at: tuple[float, float], marks: Marks) -> str:
    x, y = at
    name, value = row["node_id"], row["value"]
    kinds = [kind for kind, names in (("best", marks.best), ("wrong", marks.errors)) if name in names]
    text = " ".join(row["text"].split()) or "the problem"
    shown = text if len(text) <= _FITS else text[: _FITS - 1] + "…"
    fill = "none" if value is None else _colour(value, marks.span)
    broad = BOX if row["parent_id"] else ROOT
    parts = [
        f'<g class="{" ".join(["node", *kinds])}"><title>{escape(row["text"] or "the problem")}\n{escape(said(row))}'
        f'</title><rect class="box" x="{x:.0f}" y="{y:.0f}" width="{broad}" height="{TALL}" rx="6" style="--v:{fill}"/>'
        f'<text x="{x + 8:.0f}" y="{y + 20:.0f}">{escape(shown)}</text>'
    ]
    if value is not None:
        low, high = marks.span
        wide = BAR * min(max((value - low) / (high - low), 0.0), 1.0)
        parts.append(f'<rect class="track" x="{x + 8:.0f}" y="{y + 30:.0f}" width="{BAR}" height="6" rx="3"/>')
        parts.append(f'<rect class="level" x="{x + 8:.0f}" y="{y + 30:.0f}" width="{wide:.1f}" height="6" rx="3"/>')
    short = brief(row) if row["parent_id"] else "" if value is None else f"{value:.2f}"
    parts.append(
        f'<text x="{x + (BAR + 13 if value is not None else 8):.0f}" y="{y + 37:.0f}" class="small">{short}</text>'
    )
    parts.append(_tags(marks.tags(row), x + broad - 4, y))
    if marks.hidden.get(name):
        more = f"+{marks.hidden[name]}"
        parts.append(f'<text x="{x + broad + 5:.0f}" y="{y + 12:.0f}" class="small">{more}</text>')
    return "".join([*parts, "</g>"])


def _tags(tags: Sequence[tuple[str, str]], right: float, y: float) -> str:
    """Returns the tags on a box's upper edge, the first one rightmost."""
    parts = []
    for kind, words in tags:
        wide = 6.6 * len(words) + 13
        right -= wide
        parts.append(
            f'<g class="tag {kind}"><rect x="{right:.0f}" y="{y - 8:.0f}" width="{wide - 3:.0f}" height="16" rx="8"/>'
            f'<text x="{right + (wide - 3) / 2:.0f}" y="{y + 4:.0f}" text-anchor="middle">{escape(words)}</text></g>'
        )
    return "".join(parts)


def brief(row: Row) -> str:
    """Returns value and counts in few letters: ``0.75 · 6/8 right · 12 visits``."""
    parts = [] if row["value"] is None else [f"{row['value']:.2f}"]
    if row["rollouts"]:
        parts.append(f"{row['successes'] or 0}/{row['rollouts']} right")
    if row["visits"]:
        parts.append(f"{row['visits']} visit{'s' if row['visits'] > 1 else ''}")
    return " · ".join(parts) or "not evaluated"


def said(row: Row) -> str:
    """Returns the same in words."""
    parts = ["no value" if row["value"] is None else f"value {row['value']:.3f}"]
    if row["rollouts"]:
        parts.append(f"{row['successes'] or 0} of {row['rollouts']} continuations ended right")
    if row["visits"]:
        parts.append(f"visited {row['visits']} times")
    if row["self_evaluation"] is not None:
        parts.append(f"self-evaluation {row['self_evaluation']:.2f}")
    return ", ".join(parts)


def _colour(value: float, span: tuple[float, float]) -> str:
    low, high = span
    share = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5
    return f"hsl({round(28 + 142 * share)} 62% 48% / .22)"
