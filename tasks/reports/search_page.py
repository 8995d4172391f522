"""Many search trees in plots: how deep and how wide they are, what evidence stands behind a value, and if it is right.

Source: Guo et al. 2017, arXiv:1706.04599 (calibration of step values); Tukey 1977 (box plot of values by evidence).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from statistics import quantiles
from typing import Any

import orjson
import polars as pl

from tasks.reports._html import figure, value
from tasks.reports._plots import columns, opened
from tasks.reports._statistics import Bin, wilson
from tasks.reports._svg import bars, curve

LOOK = """
.plots svg{max-width:26rem}.frame{stroke:var(--line);fill:none}.span{stroke:var(--bar);stroke-width:2;opacity:.6}
.dot{fill:var(--bar)}.range{fill:var(--bar);opacity:.35}.middle{stroke:var(--bar);stroke-width:3}
"""
Rows = Sequence[Mapping[str, Any]]


def plots(nodes: pl.DataFrame) -> str:
    """Returns tiles and plots over trees: depth, branching, evidence, right rollouts by depth, calibration."""
    rows = [row | {"meta": orjson.loads(row["meta"] or "{}")} for row in nodes.iter_rows(named=True)]
    steps = [row for row in rows if row["parent_id"] is not None]
    ends = [row for row in steps if row["terminal"]]
    children = Counter(row["parent_id"] for row in steps)
    right = "Right continuations by depth, in %, with their 95 % intervals."
    shown = [
        (_counted(Counter(row["depth"] for row in ends), "steps", "Depth of the ends"), "How many steps an end takes."),
        (_counted(Counter(children.values()), "children", "Children a step"), "How many ways on a step has."),
        (spread(steps), "Shares of right continuations, by how many there were: median, half and whole range."),
        (bars(_by_depth(steps), title=right), right),
    ]
    for kind, told in (("value", "value"), ("self_evaluation", "self-evaluation")):
        bins = calibration(steps, kind)
        if len(bins) > 1:
            claim = f"What a step's {told} claims, against how its continuations ended, in %."
            shown.append((curve(bins, low=0.0, title=claim), claim))
    pictures = "".join(figure(picture, caption) for picture, caption in shown if picture)
    return f'{_tiles(rows, steps, ends)}<div class="plots">{pictures}</div>'


NUMBERS = ("tree_id", "parent_id", "depth", "terminal", "reward", "rollouts")
"""Columns that ``numbers`` reads."""


def numbers(nodes: pl.DataFrame) -> dict[str, Any]:
    """Returns the few numbers of trees that stand in a terminal."""
    steps = nodes.filter(pl.col("parent_id").is_not_null())
    ends = steps.filter(pl.col("terminal") & pl.col("reward").is_not_null())
    return {
        "trees": nodes["tree_id"].n_unique(), "steps": steps.height, "ends": ends.height,
        "right_ends": ends.filter(pl.col("reward") >= 0.5).height, "deepest": int(steps["depth"].max() or 0),  # type: ignore[arg-type]
        "rollouts": int(steps["rollouts"].sum()),
    }  # fmt: skip


def calibration(steps: Rows, kind: str = "value", bins: int = 10) -> list[Bin]:
    """Returns the share of right continuations by what a number (cut to 0 to 1) said of a step; ends are left out."""
    told: dict[int, list[tuple[float, int, int]]] = {}
    for row in steps:
        if row["terminal"] or row[kind] is None or not row["rollouts"]:
            continue
        claimed = min(max(row[kind], 0.0), 1.0)
        seen = told.setdefault(min(int(claimed * bins), bins - 1), [])
        seen.append((claimed, row["successes"] or 0, row["rollouts"]))
    return [
        Bin(sum(v for v, _, _ in seen) / len(seen), wilson(sum(s for _, s, _ in seen), sum(n for _, _, n in seen)))
        for _, seen in sorted(told.items())
    ]


def spread(steps: Rows) -> str:
    """Returns a box plot of shares of right continuations, by how many stand behind them (powers of two)."""
    found: dict[int, list[float]] = {}
    for row in steps:
        if row["rollouts"] and not row["terminal"]:
            bucket = 1 << (row["rollouts"].bit_length() - 1)
            found.setdefault(bucket, []).append((row["successes"] or 0) / row["rollouts"])
    if not found:
        return ""
    left, tall, wide = 44, 130, 306 / len(found)
    parts = [opened(360, 170, "Shares of right continuations by how many there were")]
    for share in (0, 0.5, 1):
        y = 10 + tall * (1 - share)
        parts.append(f'<line x1="{left}" y1="{y:.0f}" x2="352" y2="{y:.0f}" class="grid"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end" class="small">{share:g}</text>')
    for place, (bucket, shares) in enumerate(sorted(found.items())):
        x, (low, middle, high) = left + (place + 0.5) * wide, _quartiles(shares)
        y0, y1, y2, top, foot = (10 + tall * (1 - share) for share in (low, middle, high, max(shares), min(shares)))
        half = min(wide / 3, 16)
        name = f"{bucket}" if bucket == 1 else f"{bucket}-{2 * bucket - 1}"
        parts.append(
            f"<g><title>{name} continuations: {len(shares)} steps, median {middle:.2f}</title>"
            f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{foot:.1f}" class="span"/>'
            f'<rect x="{x - half:.1f}" y="{y2:.1f}" width="{2 * half:.1f}" height="{max(y0 - y2, 1):.1f}" '
            f'class="range"/>'
            f'<line x1="{x - half:.1f}" y1="{y1:.1f}" x2="{x + half:.1f}" y2="{y1:.1f}" class="middle"/></g>'
            f'<text x="{x:.1f}" y="155" text-anchor="middle" class="small">{name}</text>'
        )
    return "".join([*parts, '<text x="198" y="168" text-anchor="middle" class="small">continuations</text></svg>'])


def _quartiles(shares: list[float]) -> tuple[float, float, float]:
    if len(shares) == 1:
        return shares[0], shares[0], shares[0]
    low, middle, high = quantiles(shares, n=4, method="inclusive")
    return low, middle, high


def _counted(counts: Mapping[int, int], label: str, title: str) -> str:
    if not counts:
        return ""
    values = list(range(min(counts), max(counts) + 1))
    return columns({"values": values, "counts": [counts.get(n, 0) for n in values]}, label=label, title=title)


def _by_depth(steps: Rows) -> list[tuple[str, Any]]:
    found: dict[int, list[int]] = {}
    for row in steps:
        if row["rollouts"]:
            counts = found.setdefault(row["depth"], [0, 0])
            counts[0] += row["successes"] or 0
            counts[1] += row["rollouts"]
    return [(f"step {depth}", wilson(*counts)) for depth, counts in sorted(found.items())]


def _tiles(rows: Rows, steps: Rows, ends: Rows) -> str:
    judged = [row for row in ends if row["reward"] is not None]
    right = sum(row["reward"] >= 0.5 for row in judged)
    tiles = [
        ("trees", len({row["tree_id"] for row in rows})), ("steps", len(steps)),
        ("distinct ends", len(ends)), ("of them right", f"{100 * right / len(judged):.1f} %" if judged else None),
        ("samples", sum(row["meta"].get("samples") or 0 for row in rows) or None),
    ]  # fmt: skip
    shown = "".join(f"<div><dt>{escape(n)}</dt><dd>{value(told)}</dd></div>" for n, told in tiles if told is not None)
    return f'<dl class="tiles">{shown}</dl>'
