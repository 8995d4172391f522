"""A whole tree as one ranked list of answers, with a weight for every step.

Source: TPO (arXiv:2410.12854, sections 3.2-3.3: the list of a tree's answers; adaptive step reward: weight 1 + cosine
of a step with the best answer's step at the same place).

Use it to learn from all of a tree's answers at once, not from two. It is bad where steps do not line up: the weights
compare them by place.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from math import sqrt

import orjson
import polars as pl

from schemas.blocks import selector
from tasks.selectors._trees import Step, Tree, frame, trees

_WORD = re.compile(r"\w+|[^\w\s]")


@selector(makes="rankings")
def tree_lists(nodes: pl.DataFrame, *, longest: int = 5, graded: bool = True, mixed: bool = True) -> pl.DataFrame:
    """Returns one row a tree: its whole answers, best first, with their rewards; ``meta`` has steps and step weights.

    The weight of a step is 1 + the cosine of its words with those of the best answer's step at the same place (of the
    last one, where that is shorter): from 1 to 2. A trainer that has hidden states may take theirs.

    Args:
        longest: answers a list; those are kept that spread over the rewards, the best and the worst always.
        graded: answers that end alike are ranked by the mean share of right ends along their steps; without it they
            share a rank.
        mixed: leave out trees whose answers all have the same reward.
    """
    rows = []
    for tree in trees(nodes):
        ranked = _ranked(tree, graded)
        rewards = [reward for reward, _ in ranked]
        if len(ranked) < 2 or (mixed and len(set(rewards)) < 2):
            continue
        kept = _spread(len(ranked), longest)
        chosen = [ranked[place] for place in kept]
        paths = [[step.text for step in leaf.path()] for _, leaf in chosen]
        rewards = [reward for reward, _ in chosen]
        meta = {
            "tree_id": tree.root.tree_id, "steps": paths, "step_weights": [step_weights(p, paths[0]) for p in paths],
            "shared_steps": [_shared(path, paths[0]) for path in paths],
        }  # fmt: skip
        rows.append(
            {
                "prompt_id": tree.root.prompt_id, "completion_ids": [leaf.node_id for _, leaf in chosen],
                "completions": ["".join(path) for path in paths], "rewards": rewards, "ranks": ranks(rewards),
                "criterion": "reward", "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(),
            }
        )  # fmt: skip
    return frame(rows, "rankings")


def _ranked(tree: Tree, graded: bool) -> list[tuple[float, Step]]:
    leaves = {"".join(step.text for step in leaf.path()): leaf for leaf in reversed(tree.leaves())}
    found = [(_reward(leaf, graded), leaf) for leaf in leaves.values()]
    return sorted(found, key=lambda one: (-one[0], one[1].order))


def _reward(leaf: Step, graded: bool) -> float:
    """Returns the end's reward; graded, at most half a point apart, the mean share along the way is added."""
    end = leaf.reward or 0.0
    if not graded:
        return end
    shares = [step.share for step in leaf.path()[:-1] if step.share is not None]
    return round(0.75 * end + 0.25 * (sum(shares) / len(shares) if shares else end), 6)


def ranks(rewards: list[float]) -> list[int]:
    """Returns ranks from 1; equal rewards share one.

    >>> ranks([3.0, 1.0, 1.0, 0.0])
    [1, 2, 2, 4]
    """
    return [1 + sum(other > reward for other in rewards) for reward in rewards]


def _spread(count: int, longest: int) -> list[int]:
    if count <= longest:
        return list(range(count))
    if longest < 2:
        raise ValueError(f"longest is {longest}; a list has at least 2 answers")
    return sorted({round(i * (count - 1) / (longest - 1)) for i in range(longest)})


def _shared(path: list[str], best: list[str]) -> int:
    shared = 0
    for one, other in zip(path, best, strict=False):
        if one != other:
            break
        shared += 1
    return shared


def step_weights(path: list[str], best: list[str]) -> list[float]:
    """Returns 1 + cosine of each step with the step at the same place of the best answer."""
    return [round(1 + cosine(_words(step), _words(best[min(i, len(best) - 1)])), 6) for i, step in enumerate(path)]


def _words(text: str) -> dict[int, float]:
    counts = Counter(zlib.crc32(word.encode()) for word in _WORD.findall(text.lower()))
    return {word: float(count) for word, count in counts.items()}


def cosine(one: dict[int, float], other: dict[int, float]) -> float:
    """Returns the cosine of two sparse vectors, 0 where one is empty."""
    norms = sqrt(sum(v * v for v in one.values())) * sqrt(sum(v * v for v in other.values()))
    return sum(v * other.get(k, 0.0) for k, v in one.items()) / norms if norms else 0.0
