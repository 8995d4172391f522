"""A right ending against a wrong one that parts from it at a known step.

Source: Step-Controlled DPO (arXiv:2407.00782, section 3.2: the rest of the right solution against a wrong continuation
of its beginning).

Use it for errors late in a solution, with everything before them shared. It is bad at early errors: the beginning is
the right one in every pair.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.ids import coin
from tasks.selectors._trees import Step, Tree, pair, preferences, same, trees


@selector
def suffix_pairs(
    nodes: pl.DataFrame,
    *,
    origin: str | None = None,
    min_depth: int = 0,
    per_tree: int | None = 3,
    per_start: int = 1,
    seed: int = 0,
) -> pl.DataFrame:
    """Returns pairs of endings, each from the last step they share; the chosen one ends right, the rejected one wrong.

    Args:
        origin: of the rejected ending's first own step, e.g. ``controlled``; any where null.
        min_depth: steps they must share: 0 allows whole answers.
        per_tree, per_start: at most so many a tree, and a place where they part; drawn by the seed.
    """
    rows = []
    for tree in trees(nodes):
        taken: dict[str, int] = {}
        kept = 0
        pairs = [(start, one, other) for start, one, other in _parting(tree) if start.depth >= min_depth]
        pairs.sort(key=lambda found: coin(seed, "suffix", found[1].node_id, found[2].node_id))
        for start, one, other in pairs:
            first = other.path()[start.depth]
            if origin is not None and first.meta.get("origin", "policy") != origin:
                continue
            if taken.get(start.node_id, 0) >= per_start or (per_tree is not None and kept >= per_tree):
                continue
            if same(one.prefix + one.text, other.prefix + other.text):
                continue
            taken[start.node_id] = taken.get(start.node_id, 0) + 1
            kept += 1
            rows.append(pair(one, other, "reward", start=start, meta={"start_step": start.depth}))
    return preferences(rows)


def _parting(tree: Tree) -> list[tuple[Step, Step, Step]]:
    """Returns (the last common step, right end, wrong end) for every right and wrong end of the tree."""
    ends = [(leaf, leaf.path()) for leaf in tree.leaves()]
    found = []
    for right, one in ends:
        for wrong, other in ends:
            if (right.reward or 0.0) >= 0.5 > (1.0 if wrong.reward is None else wrong.reward):
                shared = sum(1 for a, b in zip(one, other, strict=False) if a is b)
                found.append((one[shared - 1] if shared else tree.root, right, wrong))
    return found
