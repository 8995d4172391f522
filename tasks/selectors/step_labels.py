"""Every path of a tree as steps with labels: what a process reward model is trained on.

Source: Math-Shepherd (arXiv:2312.08935, section 3.2: hard and soft estimates); OmegaPRM (arXiv:2406.06592, section
3.4); DAPO (arXiv:2412.18279, equation 5: advantages as differences of values); PRM800K (arXiv:2305.20050).

Use it to train process reward models, or step values. It is bad where rollouts are few: a hard label then calls a step
wrong that was only unlucky.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
import polars as pl

from schemas.blocks import selector
from tasks.selectors._trees import Step, Tree, first_error, frame, trees


@selector(makes="steps")
def step_labels(
    nodes: pl.DataFrame,
    *,
    kind: Literal["hard", "soft", "value", "self_evaluation"] = "hard",
    least: int = 1,
    min_share: float = 0.0,
    min_rollouts: int = 1,
    cut: bool = False,
    inner: bool = False,
    mixed: bool = False,
    marked: bool = False,
    per_tree: int | None = None,
) -> pl.DataFrame:
    """Returns one row a path: its steps, their labels, values and advantages; steps join to the text written.

    ``values`` are shares of right ends (of the end itself: its reward), or the search's values for ``kind: value``;
    ``advantages`` are each value less the one before, the first less the root's: they add up to the last value less the
    root's. A step with no evidence has neither label nor value, and ends the row: what follows it is left out.

    Args:
        kind: ``hard``: 1 where at least ``least`` continuations ended right and their share is at least ``min_share``,
            else 0, and what a first error marks (before it 1, at and after it 0; all 1 where the end is marked as free
            of one); ``soft``: the share; ``value``: the search's; ``self_evaluation``: the policy's own.
        min_rollouts: judged continuations a label needs. cut: a row ends with its first label of 0.
        inner: also one row for each path that ends at a step nothing follows, though it is no end.
        mixed: only paths whose values are not all alike. marked: only those marked with a first error, or with none.
        per_tree: at most so many rows a tree, the first.
    """
    rows = []
    for tree in trees(nodes):
        ends = [step for step in tree.steps[1:] if step.terminal or (inner and not step.children)]
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for end in ends:
            if marked and first_error(end.path()) is None:
                continue
            row = _row(tree, end, kind, least, min_share, min_rollouts, cut)
            if row is not None and not (mixed and len(set(row["values"])) < 2):
                found.setdefault(tuple(row["completions"]), row)
        rows += list(found.values())[:per_tree]
    return frame(rows, "steps").sort("prompt_id", "completions")


def _row(
    tree: Tree, end: Step, kind: str, least: int, min_share: float, min_rollouts: int, cut: bool
) -> dict[str, Any] | None:
    path = end.path()
    error = first_error(path)
    labels: list[float] = []
    values: list[float] = []
    for place, step in enumerate(path):
        value = _value(step, kind, min_rollouts)
        label = value if kind != "hard" else _hard(step, value, place, error, least, min_share)
        if label is None:
            break
        labels.append(label)
        values.append(label if value is None else value)
        if cut and label == 0:
            break
    if not labels:
        return None
    base = _value(tree.root, kind, 1)
    before = [base, *values[:-1]]
    kept = path[: len(labels)]
    meta = {
        "tree_id": end.tree_id, "root_id": tree.root.node_id, "node_ids": [step.node_id for step in kept],
        "visits": [step.visits for step in kept], "values": [step.value for step in kept],
        "successes": [step.successes for step in kept], "rollouts": [step.rollouts for step in kept],
        "root_value": base, "complete": len(kept) == len(path) and end.terminal, "reward": end.reward,
    }  # fmt: skip
    return {
        "prompt_id": end.prompt_id, "completions": [step.text for step in kept], "labels": labels, "values": values,
        "advantages": [None if a is None else b - a for a, b in zip(before, values, strict=True)],
        "completion_id": None, "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(),
    }  # fmt: skip


def _value(step: Step, kind: str, min_rollouts: int) -> float | None:
    if kind == "self_evaluation":
        return step.self_evaluation
    if kind == "value":
        return step.value
    if step.rollouts < min_rollouts and not (step.terminal and step.reward is not None):
        return None
    return step.share


def _hard(step: Step, value: float | None, place: int, error: int | None, least: int, min_share: float) -> float | None:
    if error is not None:
        return float(place < error)
    if value is None:
        return None
    if step.terminal:
        return float(value >= 0.5)
    return float(step.successes >= least and value >= min_share)
