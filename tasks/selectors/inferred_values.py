"""Step values inferred from how far each step is from a right end.

Source: ReST-MCTS* (arXiv:2406.03816, section 3.1: v_k = max(v_{k-1} + w_k, 0); released code: resolved steps rise to 1
over the steps still needed, wrong ones fall as fast).

Use it where one right end a path is known and rollouts are dear. It is bad at steps that only repeat: each counts as
progress.
"""

from __future__ import annotations

from typing import Literal

import orjson
import polars as pl

from schemas.blocks import selector
from tasks.selectors._trees import Step, Tree, frame, trees


@selector(makes="steps")
def inferred_values(
    nodes: pl.DataFrame, *, form: Literal["full", "simple"] = "full", solved: bool = True
) -> pl.DataFrame:
    """Returns one row a path to a judged end: its steps and their values from 0 to 1, which are labels too.

    A step from which a right end was reached rises by (1 - value before) / steps still needed, itself counted; another
    falls as fast as the nearest step before it that did.

    Args:
        form: ``simple``: depth over length on a right path, off it (depth - 1) over length.
        solved: leave out trees without a right end, about which nothing can be said.
    """
    rows = []
    for tree in trees(nodes):
        ends = tree.leaves()
        if solved and not any((end.reward or 0.0) >= 0.5 for end in ends):
            continue
        needed = steps_needed(tree)
        values = full_values(tree, needed) if form == "full" else {}
        for end in ends:
            path = end.path()
            found = [values[step.node_id] for step in path] if form == "full" else simple_values(path, needed)
            before = [0.0, *found[:-1]]
            meta = {
                "tree_id": end.tree_id, "node_ids": [step.node_id for step in path], "reward": end.reward,
                "needed": [needed.get(step.node_id) for step in path],
            }  # fmt: skip
            rows.append(
                {
                    "prompt_id": end.prompt_id, "completions": [step.text for step in path], "labels": found,
                    "values": found, "advantages": [b - a for a, b in zip(before, found, strict=True)],
                    "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(),
                }
            )  # fmt: skip
    return frame(rows, "steps").unique(["prompt_id", "completions"], keep="first", maintain_order=True)


def steps_needed(tree: Tree) -> dict[str, int]:
    """Returns the steps still needed, the step itself counted, of every step from which a right end was reached."""
    needed: dict[str, int] = {}
    for step in reversed(tree.steps):
        below = [needed[child.node_id] for child in step.children if child.node_id in needed]
        if step.terminal and (step.reward or 0.0) >= 0.5:
            needed[step.node_id] = 1
        elif below:
            needed[step.node_id] = min(below) + 1
    return needed


def full_values(tree: Tree, needed: dict[str, int]) -> dict[str, float]:
    """Returns node id -> value; the root's is 0."""
    values = {tree.root.node_id: 0.0}
    reach = {tree.root.node_id: max(needed.get(tree.root.node_id, 2) - 1, 1)}
    for step in tree.steps:
        if step.parent is None:
            continue
        before = values[step.parent.node_id]
        own = needed.get(step.node_id)
        nearest = reach[step.parent.node_id] if own is None else own
        values[step.node_id] = max((1 - before) * (1 if own is not None else -1) / nearest + before, 0.0)
        reach[step.node_id] = nearest
    return values


def simple_values(path: list[Step], needed: dict[str, int]) -> list[float]:
    """Returns depth / length for steps that lead to a right end, (depth - 1) / length at most for others."""
    good = sum(1 for step in path if step.node_id in needed)
    return [(min(place, good) if place <= good else max(place - 1, 0)) / len(path) for place in range(1, len(path) + 1)]
