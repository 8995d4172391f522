"""Small random trees, and what stands in them read off the plain rows: what extractions are held against."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import strategies as st

from tests.support.nodes import tree

Rows = dict[str, dict[str, Any]]
"""Node id -> its row."""


@st.composite
def _small(draw: st.DrawFn) -> Rows:
    """Draws a tree of up to nine steps: ends are right, wrong or unjudged; counts and values may be missing."""
    steps: dict[str, dict[str, Any]] = {"": _counts(draw)}
    open_ = [""]
    for number in range(draw(st.integers(0, 9))):
        parent = draw(st.sampled_from(open_))
        name = f"{parent}/s{number}" if parent else f"s{number}"
        said = _counts(draw)
        if draw(st.booleans()):
            said |= {"terminal": True, "reward": draw(st.sampled_from([0.0, 1.0, None]))}
        else:
            open_.append(name)
        steps[name] = said
    return {row["node_id"]: row for row in tree(steps).iter_rows(named=True)}


def _counts(draw: st.DrawFn) -> dict[str, Any]:
    rollouts = draw(st.sampled_from([None, 1, 4, 8]))
    return {
        "rollouts": rollouts, "successes": None if rollouts is None else draw(st.integers(0, rollouts)),
        "value": draw(st.sampled_from([None, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0])), "visits": draw(st.integers(0, 4)),
        "self_evaluation": draw(st.sampled_from([None, 0.1, 0.9])),
        "meta": {
            "played": draw(st.booleans()), "first_error": draw(st.booleans()),
            "origin": draw(st.sampled_from(["policy", "mend", "controlled"])),
        },
    }  # fmt: skip


SMALL = _small()


def frame(rows: Rows) -> pl.DataFrame:
    """Returns the rows as a nodes table."""
    return pl.DataFrame(list(rows.values()), schema=tree({}).schema)


def path(rows: Rows, name: str) -> list[str]:
    """Returns the ids of the steps from the first to this one."""
    found = []
    while rows[name]["parent_id"] is not None:
        found.append(name)
        name = rows[name]["parent_id"]
    return found[::-1]


def text(rows: Rows, name: str) -> str:
    """Returns all that is written down to this step, itself included."""
    return "".join(rows[step]["text"] for step in path(rows, name))


def ends(rows: Rows) -> list[str]:
    """Returns the ids of the ends that were judged."""
    return [name for name, row in rows.items() if row["terminal"] and row["reward"] is not None]


def children(rows: Rows, name: str) -> list[str]:
    """Returns the ids of the steps right after this one."""
    return [other for other, row in rows.items() if row["parent_id"] == name]


def needed(rows: Rows, name: str) -> int | None:
    """Returns how many steps, this one counted, the nearest right end below takes; null without one."""
    if rows[name]["terminal"] and (rows[name]["reward"] or 0.0) >= 0.5:
        return 1
    below = [steps for child in children(rows, name) if (steps := needed(rows, child)) is not None]
    return min(below) + 1 if below else None


def share(rows: Rows, name: str) -> float | None:
    """Returns the Monte-Carlo value: the reward of a judged end, the share of right rollouts elsewhere."""
    row = rows[name]
    if row["terminal"] and row["reward"] is not None:
        return float(row["reward"])
    return row["successes"] / row["rollouts"] if row["rollouts"] else None
