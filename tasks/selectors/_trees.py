"""Search trees read from the nodes table, and the pair rows made of their steps.

Source: the nodes table; prefix and steps join to the very text that was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from schemas.messages import assistant
from schemas.tables import PREFERENCES, TABLES

_READ = (
    "node_id", "prompt_id", "tree_id", "parent_id", "depth", "text", "terminal", "prior", "visits", "value", "reward",
    "rollouts", "successes", "self_evaluation", "meta",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Step:
    """One node with what it stands under and over; ``prefix`` is all that was written before it.

    Attributes:
        share: of right ends among its judged continuations (of the end itself where it is one), null without any.
    """

    node_id: str
    prompt_id: str
    tree_id: str
    parent_id: str | None
    depth: int
    text: str
    terminal: bool
    prior: float | None
    visits: int
    value: float | None
    reward: float | None
    rollouts: int
    successes: int
    self_evaluation: float | None
    meta: dict[str, Any]
    prefix: str = ""
    parent: Step | None = None
    children: list[Step] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """The Monte-Carlo value, from 0 to 1."""
        if self.terminal and self.reward is not None:
            return self.reward
        return self.successes / self.rollouts if self.rollouts else None

    @property
    def policy(self) -> str | None:
        """Who wrote the tree's steps: the SPEC that stands at its root."""
        node = self
        while node.parent is not None:
            node = node.parent
        said: str | None = node.meta.get("policy")
        return said

    @property
    def order(self) -> tuple[int, str]:
        """When it was made; what ties are broken by."""
        return int(self.meta.get("order", 0)), self.node_id

    def path(self) -> list[Step]:
        """Returns the steps from the first to this one, the root left out."""
        found: list[Step] = []
        node: Step | None = self
        while node is not None and node.parent is not None:
            found.append(node)
            node = node.parent
        return found[::-1]

    def measured(self, by: str) -> float | None:
        """Returns its number of one kind: ``value``, ``share``, ``reward`` or ``self_evaluation``."""
        number: float | None = getattr(self, by)
        return number


@dataclass(slots=True)
class Tree:
    """One tree: its root, and all its steps, parents before children."""

    root: Step
    steps: list[Step]

    def best_path(self, by: str = "value") -> list[Step]:
        """Returns the path of the most visited child (then the best, then the first) from the root down."""
        node, path = self.root, list[Step]()
        while known := [child for child in node.children if child.measured(by) is not None]:
            node = min(known, key=lambda child: (-child.visits, -(child.measured(by) or 0.0), child.order))
            path.append(node)
        return path

    def leaves(self) -> list[Step]:
        """Returns the ends that were judged."""
        return [step for step in self.steps if step.terminal and step.reward is not None]


def first_error(path: Sequence[Step]) -> int | None:
    """Returns the place of the first wrong step, the path's length where none is, null where nobody said."""
    place = next((place for place, step in enumerate(path) if step.meta.get("first_error")), None)
    return len(path) if place is None and path[-1].meta.get("no_error") else place


def marked_right(tree: Tree) -> set[Step]:
    """Returns the steps that stand before the first wrong one of a marked path, and those of a path without one."""
    paths = [step.path() for step in tree.steps[1:] if step.terminal]
    return {step for path in paths for step in path[: first_error(path) or 0]}


def trees(nodes: pl.DataFrame) -> Iterator[Tree]:
    """Yields every tree of the nodes table, by prompt and tree id; the order of rows does not matter."""
    for frame in nodes.select(_READ).sort("prompt_id", "tree_id").partition_by("tree_id", maintain_order=True):
        steps = [_step(row) for row in frame.iter_rows()]
        steps.sort(key=lambda step: (step.depth, *step.order))
        by_id = {step.node_id: step for step in steps}
        roots = [step for step in steps if step.parent_id is None]
        if len(roots) != 1:
            raise ValueError(f"tree {steps[0].tree_id} has {len(roots)} roots; a tree has one")
        for step in steps:
            if step.parent_id is not None:
                parent = by_id.get(step.parent_id)
                if parent is None:
                    raise ValueError(f"node {step.node_id} of tree {step.tree_id} has a parent that is not there")
                step.parent, step.prefix = parent, parent.prefix + parent.text
                parent.children.append(step)
        yield Tree(roots[0], steps)


def _step(row: tuple[Any, ...]) -> Step:
    node_id, prompt_id, tree_id, parent_id, depth, text, terminal, prior, visits, value, reward, *rest = row
    rollouts, successes, own, meta = rest
    return Step(
        node_id, prompt_id, tree_id, parent_id, depth, text, terminal, prior, visits or 0, value, reward,
        rollouts or 0, successes or 0, own, orjson.loads(meta) if meta else {},
    )  # fmt: skip


def same(one: str, other: str) -> bool:
    """Says whether two texts differ in nothing but spaces."""
    return " ".join(one.split()) == " ".join(other.split())


def pair(chosen: Step, rejected: Step, by: str, *, start: Step | None = None, **more: Any) -> dict[str, Any]:
    """Returns the lean preferences row of two siblings, or of two ends that part after ``start``."""
    above = chosen.parent if start is None else start
    assert above is not None
    one, other = chosen.measured(by), rejected.measured(by)
    prefix = above.prefix + above.text
    texts = [(step.prefix + step.text)[len(prefix) :] for step in (chosen, rejected)]
    meta = {
        "unit": "step" if start is None else "suffix", "depth": above.depth + 1, "tree_id": chosen.tree_id,
        "visits": [chosen.visits, rejected.visits], "rollouts": [chosen.rollouts, rejected.rollouts],
        "successes": [chosen.successes, rejected.successes], "v_parent": above.measured(by),
        "eos": [chosen.terminal, rejected.terminal], **more.pop("meta", {}),
    }  # fmt: skip
    return {
        "prompt_id": chosen.prompt_id, "chosen_id": chosen.node_id, "rejected_id": rejected.node_id,
        "chosen": assistant(texts[0]), "rejected": assistant(texts[1]), "prefix": prefix, "level": "step",
        "criterion": by, "chosen_score": one, "rejected_score": other,
        "margin": None if one is None or other is None else one - other,
        "chosen_logprob": chosen.meta.get("logprob") if start is None else None,
        "rejected_logprob": rejected.meta.get("logprob") if start is None else None,
        "chosen_policy": chosen.policy, "rejected_policy": rejected.policy,
        "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(), **more,
    }  # fmt: skip


def preferences(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Returns pair rows as a frame with the types of the preferences table, by prompt, chosen and rejected id."""
    return frame(rows, PREFERENCES.name, ("p_chosen", "weight")).sort("prompt_id", "chosen_id", "rejected_id")


_COLUMNS = {
    "preferences": (
        "prompt_id", "chosen_id", "rejected_id", "chosen", "rejected", "prefix", "level", "criterion", "chosen_score",
        "rejected_score", "margin", "chosen_logprob", "rejected_logprob", "chosen_policy", "rejected_policy", "meta",
    ),
    "steps": ("prompt_id", "completions", "labels", "values", "advantages", "completion_id", "meta"),
    "rankings": ("prompt_id", "completion_ids", "completions", "rewards", "ranks", "criterion", "meta"),
    "examples": ("prompt_id", "completion_id", "completion", "label", "reward", "weight", "criterion", "meta"),
}  # fmt: skip


def frame(rows: Sequence[Mapping[str, Any]], table: str, more: Sequence[str] = ()) -> pl.DataFrame:
    """Returns lean rows of a table with its types."""
    types = TABLES[table].empty().schema
    names = [*_COLUMNS[table], *(name for name in more if any(name in row for row in rows))]
    return pl.DataFrame(
        [[row.get(name) for name in names] for row in rows], schema={name: types[name] for name in names}, orient="row"
    )
