"""Node rows of a tree.

Source: the nodes table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.exchange import Grown
from tasks.searches._ask import Policy
from tasks.searches._tree import Node, Tree


def grown(tree: Tree, policy: Policy, about: Mapping[str, Any], notes: Mapping[Node, Mapping[str, Any]]) -> Grown:
    """Returns the tree's rows, parents before children, and the answers met.

    Args:
        about: what the root's ``meta`` says of the search. notes: more for the ``meta`` of single nodes.
    """
    most = {"scale": tree.rules.scale, "samples": policy.samples, "requests": policy.calls, **about}
    rows = [_row(tree, node, most if node is tree.root else {}, notes.get(node, {})) for node in tree.nodes]
    return Grown(rows, policy.completions)


def _row(tree: Tree, node: Node, about: Mapping[str, Any], notes: Mapping[str, Any]) -> dict[str, Any]:
    value = tree.q(node) if node.parent is not None else tree.value(node)
    above = None if node.parent is None else tree.value(node.parent)
    meta: dict[str, Any] = {"order": node.number, "copies": node.copies, "sampled": node.sampled}
    kept = {
        "logprob": node.logprob, "tokens": node.tokens, "failed": node.failed, "estimate": node.estimate,
        "played": node.played, "origin": None if node.origin == "policy" else node.origin,
    }  # fmt: skip
    meta |= {name: found for name, found in kept.items() if found} | dict(notes) | dict(about)
    return {
        "node": node.number, "parent": None if node.parent is None else node.parent.number, "depth": node.depth,
        "text": node.text, "prior": node.prior, "visits": node.visits, "value": value, "reward": node.reward,
        "advantage": None if value is None or above is None else value - above, "terminal": node.terminal,
        "rollouts": node.rollouts or None, "successes": int(node.successes) if node.rollouts else None,
        "self_evaluation": node.evaluation, "meta": meta,
    }  # fmt: skip
