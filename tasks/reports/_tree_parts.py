"""What stands around a drawn tree: its legend, its pairs in words, the tree as a list, and which steps are drawn.

Source: WCAG 2.2, success criteria 1.1.1 and 1.3.1 (what a picture says is there as text, too).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tasks.reports._html import value
from tasks.reports._tree_svg import Marks, Row, brief, said

LOOK = """
body.trees{max-width:76rem}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.1rem;list-style:none;padding:0;margin:.6rem 0;font-size:.875rem}
.legend li{display:flex;align-items:center;gap:.4rem}.legend i{width:1.5rem;height:1rem;border-radius:.3rem;flex:none}
.legend b{font-size:.8rem;border:1px solid;border-radius:.6rem;padding:0 .4rem}
.scroll{overflow:auto;max-height:85vh;border:1px solid var(--line);border-radius:.5rem;padding:.4rem}
.list ul{padding-left:.9rem;margin:0 0 0 .3rem;border-left:2px solid var(--line);list-style:none}
.list>ul{border:0;padding:0;margin:0}.list li{padding:.2rem 0;overflow-wrap:anywhere}
.list li.best>span:first-child{font-weight:600;border-bottom:2px solid var(--bar)}
.list li.wrong>span:first-child{border-bottom:2px dashed var(--warn)}
.list .mark{display:block;color:var(--soft);font-size:.875rem}
.question{font-size:1.1rem;white-space:pre-wrap;overflow-wrap:anywhere}
.begin{color:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}summary{cursor:pointer;padding:.3rem 0}
"""
_SWATCH = "background:linear-gradient(90deg,hsl(28 62% 48% / .35),hsl(100 62% 48% / .35),hsl(170 62% 48% / .35))"


def legend(marks: Marks, labelled: bool) -> str:
    """Returns what the marks of a drawing mean."""
    low, high = marks.span
    items = [
        '<i style="border:3px solid var(--bar)"></i>best path', f'<i style="{_SWATCH}"></i>value {low:g} to {high:g}',
    ]  # fmt: skip
    if marks.errors:
        items.append('<i style="border:3px dashed var(--warn)"></i>first wrong step')
    if marks.pairs:
        items.append('<b style="color:var(--good)">chosen 1</b><b style="color:var(--warn)">rejected 1</b>a pair taken')
    if labelled:
        items.append("<b>label 1</b>what the dataset says of the step")
    if marks.hidden:
        items.append("<b>+3</b>children that are not drawn")
    return f'<ul class="legend">{"".join(f"<li>{item}</li>" for item in items)}</ul>'


def pairs(found: Sequence[Row], rows: Mapping[str, Row], name: str) -> str:
    """Returns each pair taken from the tree: the beginning, both steps, and the numbers behind the label.

    Args:
        found: rows of the preferences table. rows: node id -> row of the nodes table.
        name: of the tree, in the addresses of its pairs.
    """
    parts = []
    for number, pair in enumerate(found, start=1):
        sides = "".join(_side(side, pair, rows[pair[f"{side}_id"]]) for side in ("chosen", "rejected"))
        facts = [("margin", pair.get("margin")), ("probability", pair.get("p_chosen")), ("by", pair.get("criterion"))]
        told = " · ".join(f"{name} {value(fact)}" for name, fact in facts if fact is not None)
        begin = pair.get("prefix") or ""
        shown = f'<h4>after</h4><div class="begin">{escape(begin)}</div>' if begin else ""
        parts.append(
            f'<article id="pair-{name}-{number}"><h3>Pair {number}</h3><p class="note">{told}</p>{shown}'
            f'<div class="sides">{sides}</div></article>'
        )
    return "".join(parts)


def _side(side: str, pair: Row, row: Row) -> str:
    text = "".join(str(message["content"] or "") for message in pair[side])
    told = f'<p class="note">{escape(said(row))}</p>'
    return f'<div><h4>{side}</h4><div class="text">{escape(text.strip())}</div>{told}</div>'


def listed(rows: Sequence[Row], marks: Marks) -> str:
    """Returns the tree as nested lists, every step with what the drawing says of it."""
    children: dict[str | None, list[Row]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)

    def branch(row: Row) -> str:
        below = "".join(branch(child) for child in children.get(row["node_id"], []))
        words = [words for _, words in marks.tags(row)] + (["best path"] if row["node_id"] in marks.best else [])
        told = " · ".join([brief(row), *words])
        kind = "wrong" if row["node_id"] in marks.errors else "best" if row["node_id"] in marks.best else "step"
        text = escape(row["text"].strip() or "the problem")
        more = f"<ul>{below}</ul>" if below else ""
        return f'<li class="{kind}"><span>{text}</span><span class="mark">{escape(told)}</span>{more}</li>'

    return f'<div class="list"><ul>{"".join(branch(row) for row in children[None])}</ul></div>'


def trimmed(rows: Sequence[dict[str, Any]], wanted: set[str], most: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Returns the steps to draw, and how many children of each are left out.

    A large tree keeps the ``wanted`` steps with all before them; then the most visited ones fill it up.

    Args:
        rows: parents before children. most: steps drawn at most, unless more are wanted.
    """
    if len(rows) <= most:
        return list(rows), {}
    above = {row["node_id"]: row["parent_id"] for row in rows}
    weight = {row["node_id"]: (row["visits"] or 0, row["rollouts"] or 0) for row in rows}
    kept: set[str] = set()
    for name in sorted(above, key=lambda one: (one not in wanted, *(-n for n in weight[one]))):
        if len(kept) >= most and name not in wanted:
            break
        step: str | None = name
        while step is not None and step not in kept:
            kept.add(step)
            step = above[step]
    hidden: dict[str, int] = {}
    for row in rows:
        if row["node_id"] not in kept and row["parent_id"] in kept:
            hidden[row["parent_id"]] = hidden.get(row["parent_id"], 0) + 1
    return [row for row in rows if row["node_id"] in kept], hidden
