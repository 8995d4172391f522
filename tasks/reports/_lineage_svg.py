"""What stands behind a pair, drawn: from the prompt at the top, through answers and judgments, to the versions below.

Source: W3C PROV-DM, section 2 (what was made of what, by whom); layered drawings of Sugiyama et al. 1981.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from tasks.reports._plots import short

WIDTH, _BOX, _LINE, _GAP = 640, 300, 17, 34
_FITS = 44
_STYLE = (
    "<style>.lineage text{font:12.5px system-ui,sans-serif;fill:var(--ink,#1b2130)}.lineage .small{font-size:11.5px;"
    "fill:var(--soft,#566074)}.lineage rect{fill:var(--card,#f5f7fa);stroke:var(--line,#cfd5e0)}.lineage .pair rect{"
    "stroke:var(--bar,#2f62c0);stroke-width:2}.lineage path{fill:none;stroke:var(--soft,#566074)}"
    ".lineage .name{font-weight:600}</style>"
)


class Box(NamedTuple):
    """A thing in the drawing: its side (-1 left, 0 in the middle, 1 right), name, lines below, and class."""

    side: int
    name: str
    lines: tuple[str, ...]
    kind: str = ""


def lineage_drawing(found: Mapping[str, Any]) -> str:
    """Returns the SVG of a pair and everything behind it.

    Args:
        found: what ``storage.lineage`` returns.
    """
    layers = [layer for layer in _layers(found) if layer]
    heights = [max(_height(box) for box in layer) for layer in layers]
    tops = [12 + sum(heights[:i]) + _GAP * i for i in range(len(layers))]
    edges, boxes = [], []
    for i, layer in enumerate(layers):
        boxes += [_box(box, tops[i]) for box in layer]
        for box in layer if i else ():
            edges += [_edge(above, tops[i - 1], box, tops[i]) for above in layers[i - 1] if _met(above, box)]
    told = "; ".join(f"{box.name}: {', '.join(box.lines)}" for layer in layers for box in layer)
    name = escape(f"What stands behind the pair, from its prompt to its versions. {told}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tops[-1] + heights[-1] + 12}" role="img" '
        f'class="lineage" aria-label="{name}" style="max-width:{WIDTH}px">{_STYLE}{"".join(edges + boxes)}</svg>'
    )


def _layers(found: Mapping[str, Any]) -> list[list[Box]]:
    pair, prompt, run = found["pair"], found.get("prompt") or {}, found.get("run") or {}
    asked = pair["prompt"][-1].get("content") or ""
    top = Box(0, "prompt", tuple(filter(None, (_cut(asked), prompt.get("source") and f"from {prompt['source']}"))))
    sides = ((-1, "chosen"), (1, "rejected"))
    answers = [Box(side, f"{name} answer", _answer(found.get(name), pair, name)) for side, name in sides]
    scores = [
        Box(side, f"scores of the {name}", tuple(_score(row) for row in _first((found.get(name) or {}).get("scores"))))
        for side, name in sides
        if (found.get(name) or {}).get("scores")
    ]
    facts = [
        f"{key} {short(float(pair[key]))}" for key in ("margin", "strength", "p_chosen") if pair.get(key) is not None
    ]
    cost = found.get("cost")
    made = Box(0, f"pair {str(pair['pair_id'])[:12]}", tuple(filter(None, (
        ", ".join(facts), f"recipe {pair.get('recipe')}, run {str(run.get('run_id') or pair.get('run_id'))[:12]}",
        None if cost is None else f"${cost:,.4f} for its answers and judgments"))), "pair")  # fmt: skip
    names = [str(version["name"]) for version in found.get("versions") or ()]
    held = Box(0, "in versions", tuple(_first(names)))
    judged = _judgments(found.get("judgments") or (), pair)
    apart, together = [box for box in judged if box.side], [box for box in judged if not box.side]
    return [[top], answers, apart, together, scores, [made], [held]]


def _answer(row: Mapping[str, Any] | None, pair: Mapping[str, Any], side: str) -> tuple[str, ...]:
    said = _cut(" ".join(str(turn.get("content") or "") for turn in pair[side]))
    if row is None:
        return (said, "its row is not in the lake")
    facts = [row.get("policy"), row.get("completion_tokens") and f"{row['completion_tokens']} tokens"]
    if row.get("logprob") is not None:
        facts.append(f"log-probability {row['logprob']:.2f}")
    return tuple(filter(None, (said, _cut(", ".join(str(fact) for fact in facts if fact)))))


def _judgments(rows: Sequence[Mapping[str, Any]], pair: Mapping[str, Any]) -> list[Box]:
    """Returns one box for each side and one for what was said of both, judges that said the same together."""
    found: dict[int, Counter[str]] = {}
    for row in rows:
        about = row.get("about") or ()
        side = 0 if len(about) > 1 else -1 if "chosen" in about else 1
        wins = {pair.get("chosen_id"): "for the chosen", pair.get("rejected_id"): "for the rejected"}
        verdict = wins.get(row.get("winner")) if row.get("winner") else None
        said = f"score {short(float(row['score']))}" if row.get("score") is not None else verdict or ""
        text = f"{row['judge']}: {row['outcome']}{f', {said}' if said else ''}"
        found.setdefault(side, Counter())[text] += 1
    names = {-1: "judged, chosen", 0: "judged together", 1: "judged, rejected"}
    return [
        Box(side, names[side], tuple(_first([f"{text}{f' ×{n}' if n > 1 else ''}" for text, n in counts.items()])))
        for side, counts in sorted(found.items())
    ]


def _score(row: Mapping[str, Any]) -> str:
    value = "none" if row.get("score") is None else short(float(row["score"]))
    return f"{row.get('scorer')}, {row.get('criterion')}: {value}"


def _first(lines: Sequence[Any] | None, count: int = 6) -> list[Any]:
    """Returns the first lines; the last says how many more there are."""
    given = list(lines or ())
    shown: list[Any] = given[:count]
    if len(given) > count and isinstance(given[0], str):
        shown[-1] = f"… and {len(given) - count + 1} more"
    return shown


def _met(one: Box, other: Box) -> bool:
    return not one.side or not other.side or one.side == other.side


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _FITS else line[: _FITS - 1] + "…"


def _height(box: Box) -> int:
    return 30 + _LINE * len(box.lines)


def _left(box: Box) -> int:
    return {-1: 8, 0: (WIDTH - _BOX) // 2, 1: WIDTH - _BOX - 8}[box.side]


def _box(box: Box, top: int) -> str:
    x = _left(box)
    lines = "".join(
        f'<text x="{x + 12}" y="{top + 20 + _LINE * (i + 1)}" class="small">{escape(_cut(line))}</text>'
        for i, line in enumerate(box.lines)
    )
    return (
        f'<g class="{box.kind or "thing"}"><rect x="{x}" y="{top}" width="{_BOX}" height="{_height(box)}" rx="7"/>'
        f'<text x="{x + 12}" y="{top + 20}" class="name">{escape(box.name)}</text>{lines}</g>'
    )


def _edge(above: Box, top: int, below: Box, next_top: int) -> str:
    x1, y1, x2 = _left(above) + _BOX // 2, top + _height(above), _left(below) + _BOX // 2
    half = (next_top - y1) // 2
    return f'<path d="M{x1} {y1}C{x1} {y1 + half} {x2} {next_top - half} {x2} {next_top}"/>'
