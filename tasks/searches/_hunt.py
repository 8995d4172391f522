"""The first wrong step of every wrong solution in a tree, all of them hunted at once.

Source: OmegaPRM (arXiv:2406.06592, section 3.2).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from math import sqrt

from schemas.exchange import Reply, Request, Verdicts
from tasks.searches._ask import Policy
from tasks.searches._bisect import Hunt, Probe
from tasks.searches._judge import rolled_out
from tasks.searches._paths import Solution
from tasks.searches._tree import Node, Tree


def hunt(
    tree: Tree,
    policy: Policy,
    verdicts: Verdicts,
    wrong: Sequence[Solution],
    test: Probe,
    *,
    known: Sequence[int] = (),
) -> Generator[list[Request], list[Reply], list[Node | None]]:
    """Returns the first wrong step of each wrong solution; null where rollouts could not tell.

    Args:
        known: for each, the last step known to be fine, -1 for none.

    Solutions that share a beginning share its rollouts. Every probed step keeps its counts in the tree.
    """
    fine = known or [-1] * len(wrong)
    hunts = [Hunt(good, len(solution.path) - 1) for solution, good in zip(wrong, fine, strict=True)]
    asked: dict[Node, int] = {}
    while True:
        wanted: dict[Node, int] = {}
        for solution, one in zip(wrong, hunts, strict=True):
            _settle(tree, solution, one, test, asked)
            if (at := one.at) is not None:
                node = solution.path[at]
                wanted[node] = test.more(node.successes, node.rollouts, asked.get(node, 0), _share(tree, solution, one))
        if not wanted:
            break
        nodes = sorted(wanted, key=lambda node: node.prefix)
        yield from rolled_out(policy, nodes, [wanted[node] for node in nodes], verdicts)
        for node, count in wanted.items():
            asked[node] = asked.get(node, 0) + count
    return [None if one.lost else solution.path[one.bad] for solution, one in zip(wrong, hunts, strict=True)]


def _settle(tree: Tree, solution: Solution, one: Hunt, test: Probe, asked: dict[Node, int]) -> None:
    """Moves the bounds of a hunt as far as what is known allows."""
    while (at := one.at) is not None:
        node, share = solution.path[at], _share(tree, solution, one)
        if test.more(node.successes, node.rollouts, asked.get(node, 0), share):
            return
        fine = test.verdict(node.successes, node.rollouts, share)
        one.probes.append(at)
        if fine is None:
            one.lost = True
        elif fine:
            one.good = at
        else:
            one.bad = at


def _share(tree: Tree, solution: Solution, one: Hunt) -> float:
    """Returns the share of right ends from the last fine beginning, less its spread, so that a lucky few say little."""
    node = solution.path[one.good] if one.good >= 0 else tree.root
    mean = (node.successes + 1) / (node.rollouts + 2)
    return max(mean - sqrt(mean * (1 - mean) / (node.rollouts + 3)), 0.04)
