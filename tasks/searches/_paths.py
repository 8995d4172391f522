"""Whole solutions as paths of a tree, and more evidence for the nodes on them.

Source: Math-Shepherd (arXiv:2312.08935, section 3.2): solutions, cut into steps, completed from every step.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from schemas.exchange import Choice, Reply, Request, Verdicts
from tasks.searches._ask import EVIDENCE, Policy
from tasks.searches._judge import Asking, rolled_out, tally
from tasks.searches._tree import Node, Tree
from tasks.texts.pieces import Pieces


class Solution(NamedTuple):
    """One sampled answer as the nodes it goes through; ``score`` is null where it could not be judged or was cut."""

    path: list[Node]
    score: float | None
    text: str

    @property
    def wrong(self) -> bool:
        """Whether it is a whole answer that was judged wrong."""
        return self.score is not None and self.score < 0.5

    @property
    def right(self) -> bool:
        """Whether it is a whole answer that was judged right."""
        return self.score is not None and self.score >= 0.5


def insert(
    tree: Tree, pieces: Pieces, start: Node, choice: Choice, *, cut: bool = False, origin: str = "policy"
) -> list[Node]:
    """Returns the nodes of an answer that continues ``start``, first to last; one that was cut loses its last step."""
    steps = pieces.cut(choice.text, [token.text for token in choice.tokens])
    if cut:
        steps = steps[:-1]
    node, path = start, []
    for number, step in enumerate(steps, start=1):
        node, _ = tree.add(node, step, terminal=number == len(steps) and not cut, origin=origin)
        path.append(node)
    return path


def continued(
    tree: Tree, policy: Policy, pieces: Pieces, verdicts: Verdicts, requests: Sequence[tuple[Node, Request]], *,
    origin: str = "policy", count: bool = True,
) -> Generator[list[Request], list[Reply], list[tuple[Node, Solution]]]:  # fmt: skip
    """Asks for continuations of nodes, adds them to the tree, and returns (the node continued, the whole solution).

    Args:
        count: they count as rollouts of the node continued and of every node they add or pass.
    """
    replies = yield [request for _, request in requests]
    found: list[tuple[Node, list[Node], str, bool]] = []
    for (node, request), reply in zip(requests, replies, strict=True):
        node.sampled += request.n
        node.failed += request.n - len(reply.choices)
        for choice in reply.choices:
            if choice.outcome not in EVIDENCE:
                node.failed += 1
                continue
            cut = choice.outcome == "truncated"
            text = policy.met(request, reply, choice, node.number, origin)
            found.append((node, insert(tree, pieces, node, choice, cut=cut, origin=origin), text, cut))
    scores = yield from verdicts("verifier", [text for _, _, text, _ in found], [cut for *_, cut in found])
    solutions = []
    for (node, below, text, cut), score in zip(found, scores, strict=True):
        for one in [node, *below] if count else [node]:
            tally(one, score)
        if below and below[-1].terminal and score is not None:
            below[-1].reward = score
        path = [*reversed([one for one in node.path() if one.parent is not None]), *below]
        solutions.append((node, Solution(path, None if cut else score, text)))
    return solutions


def solutions(
    tree: Tree, policy: Policy, pieces: Pieces, verdicts: Verdicts, n: int, *, count: bool = True
) -> Generator[list[Request], list[Reply], list[Solution]]:
    """Samples whole answers from the root and returns them in the order of the samples."""
    request = policy.whole("", n, tree.root.sampled)
    found = yield from continued(tree, policy, pieces, verdicts, [(tree.root, request)], count=count)
    return [solution for _, solution in found]


def inner(paths: Sequence[Sequence[Node]]) -> list[Node]:
    """Returns the distinct nodes of paths that are no ends, by prefix, so that shared prefixes stand together."""
    seen = {node.number: node for path in paths for node in path if not node.terminal}
    return sorted(seen.values(), key=lambda node: node.prefix)


def probe(policy: Policy, verdicts: Verdicts, nodes: Sequence[Node], rollouts: int) -> Asking:
    """Rolls out every node to its end so many times."""
    return (yield from rolled_out(policy, nodes, [rollouts] * len(nodes), verdicts))
