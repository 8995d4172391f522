"""Whole answers of one tree against each other, paired by how much of their beginnings they share.

Source: Reward Generalization in RLHF (arXiv:2402.10184, section 4: pairs of leaves of a prefix tree, whose shared
prefixes link the comparisons).

Use it for reward models and pairs of whole answers from a tree. It is bad at saying which step was wrong: see
``sibling_pairs``.
"""

from __future__ import annotations

from itertools import combinations

import polars as pl

from schemas.blocks import selector
from schemas.ids import coin
from tasks.selectors._trees import Step, Tree, pair, preferences, same, trees


@selector
def leaf_pairs(
    nodes: pl.DataFrame,
    *,
    min_gap: float = 0.0,
    min_depth: int = 0,
    max_depth: int | None = None,
    per_depth: int | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Returns every pair of judged ends of a tree, the higher reward chosen; ``meta.lca_depth`` says what they share.

    That is the depth of the last step both have: 0 where they part at the root. A tie, or two equal texts, makes no
    pair. ``prefix`` is the shared beginning.

    Args:
        min_gap: rewards must lie further apart. min_depth, max_depth: of the last shared step.
        per_depth: at most so many pairs of a depth in a tree, drawn by the seed, so that no depth outweighs the others.

    Raises:
        ValueError: a parameter is out of its range.
    """
    if min_gap < 0 or min_depth < 0 or (per_depth is not None and per_depth < 1):
        raise ValueError(f"min_gap is {min_gap}, min_depth {min_depth}, per_depth {per_depth}: out of range")
    rows = []
    for tree in trees(nodes):
        taken: dict[int, int] = {}
        met = sorted(_met(tree), key=lambda found: coin(seed, "leaves", found[1].node_id, found[2].node_id))
        for start, one, other in met:
            high, low = one.reward or 0.0, other.reward or 0.0
            allowed = min_depth <= start.depth <= (start.depth if max_depth is None else max_depth)
            if not (allowed and high - low > min_gap) or same(one.prefix + one.text, other.prefix + other.text):
                continue
            taken[start.depth] = taken.get(start.depth, 0) + 1
            if per_depth is None or taken[start.depth] <= per_depth:
                rows.append(pair(one, other, "reward", start=start, meta={"lca_depth": start.depth}))
    return preferences(rows)


def _met(tree: Tree) -> list[tuple[Step, Step, Step]]:
    """Returns (the last common step, the better end, the other) for every two judged ends."""
    found = []
    for one, other in combinations([(leaf, leaf.path()) for leaf in tree.leaves()], 2):
        shared = [a for a, b in zip(one[1], other[1], strict=False) if a is b]
        ends = sorted((one[0], other[0]), key=lambda leaf: (-(leaf.reward or 0.0), leaf.order))
        found.append((shared[-1] if shared else tree.root, ends[0], ends[1]))
    return found
