"""The tree of one search: nodes, which of them to work on next, and what a result means for those above it.

Source: AlphaZero (arXiv:1712.01815; PUCT); MCTS-DPO (arXiv:2405.00451; rewards as differences of values); ReST-MCTS*
(arXiv:2406.03816; mean of children); virtual loss: Chaslot et al. 2008; progressive widening: Couetoux et al. 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tasks.searches import _formulas as f

Select = Literal["puct", "uct", "damped", "schedule", "best_first", "beam", "breadth", "uniform"]
Backup = Literal["mean", "max", "discounted", "children", "reward", "process", "none"]


@dataclass(slots=True, eq=False)
class Node:
    """One step.

    ``rollouts`` and ``successes`` count the policy's own continuations from here whose end was judged: an unbiased
    estimate. ``visits`` and ``total`` are the search's statistics, which favour what it favours.

    Attributes:
        prefix: everything written up to here, this step included. copies: how often this very step was sampled.
        sampled: continuations asked for from here; ``drawn`` of them were to find children.
        pending: simulations under way (virtual loss). waiting: being expanded. closed: nothing left to do below.
        estimate: what an evaluator thinks of it, in the search's scale; null while nobody could say.
        future: mean of what its children are worth, for the backups that need it. played: on the path moved along.
    """

    number: int
    parent: Node | None
    text: str
    prefix: str
    depth: int
    prior: float = 1.0
    logprob: float | None = None
    tokens: int = 0
    terminal: bool = False
    origin: str = "policy"
    copies: int = 1
    sampled: int = 0
    drawn: int = 0
    pending: int = 0
    visits: int = 0
    total: float = 0.0
    best: float | None = None
    rollouts: int = 0
    successes: float = 0.0
    failed: int = 0
    reward: float | None = None
    evaluation: float | None = None
    estimate: float | None = None
    future: float | None = None
    closed: bool = False
    waiting: bool = False
    played: bool = False
    children: list[Node] = field(default_factory=list)

    def path(self) -> Iterator[Node]:
        """Yields this node, its parent, … up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


@dataclass(frozen=True)
class Rules:
    """How a tree grows.

    Args:
        select: the tree policies ``puct``, ``uct``, ``damped`` (ARMAP) and ``schedule`` (PUCT with a growing factor)
            walk down from the root; ``best_first``, ``beam`` (of ``width``), ``breadth`` and ``uniform`` take a leaf.
        c: exploration. children: a node. root_children: of the root, where another number. widen: power of
            progressive widening. max_depth: deepest node that is no end by itself.
        backup: ``mean``; ``max``; ``discounted`` by ``gamma`` a step; ``children`` (mean weighted by visits);
            ``reward`` (value minus the parent's, plus gamma times what follows); ``process`` (a share ``mix`` of the
            mean step evaluation on the way, the rest the end); ``none``.
        scale: ``01``, or ``pm1`` for values from -1 to 1. window: simulations under way at once in one tree.
        retries: so many samples a wanted child may be drawn before a node counts as fully expanded.
    """

    select: Select = "puct"
    c: float = 1.0
    children: int = 4
    root_children: int | None = None
    widen: float = 0.0
    max_depth: int = 16
    width: int = 1
    backup: Backup = "mean"
    gamma: float = 1.0
    mix: float = 0.5
    scale: Literal["01", "pm1"] = "01"
    window: int = 1
    retries: int = 2
    dedup: Literal["exact", "normalized", "none"] = "exact"


class Tree:
    """Nodes, and the arithmetic on them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.root = Node(0, None, "", "", 0)
        self.nodes = [self.root]
        self.start = self.root
        self.lowest = -1.0 if rules.scale == "pm1" else 0.0

    def add(self, parent: Node, text: str, *, logprob: float | None = None, tokens: int = 0,
            terminal: bool = False, origin: str = "policy") -> tuple[Node, bool]:  # fmt: skip
        """Returns the child with this text, and whether it is new; an equal one is the same one."""
        key = self._key(text)
        for child in parent.children if key is not None else ():
            if self._key(child.text) == key:
                child.copies += 1
                child.terminal = child.terminal or terminal
                return child, False
        node = Node(len(self.nodes), parent, text, parent.prefix + text, parent.depth + 1)
        node.logprob, node.tokens, node.origin = logprob, tokens, origin
        node.terminal = terminal
        node.closed = terminal or node.depth >= self.rules.max_depth
        parent.children.append(node)
        self.nodes.append(node)
        return node, True

    def _key(self, text: str) -> str | None:
        if self.rules.dedup == "none":
            return None
        return text if self.rules.dedup == "exact" else " ".join(text.split()).casefold()

    def scaled(self, score: float) -> float:
        """Returns a score from 0 to 1 in the tree's scale."""
        return 2 * score - 1 if self.rules.scale == "pm1" else score

    def value(self, node: Node) -> float | None:
        """Returns the node's value: null where nothing below it was ever evaluated."""
        backup = self.rules.backup
        if backup == "none":
            if node.terminal:
                return None if node.reward is None else self.scaled(node.reward)
            return self.scaled(node.successes / node.rollouts) if node.rollouts else node.estimate
        if backup == "max":
            return node.best
        if backup in ("children", "reward"):
            return node.future if node.future is not None else node.estimate
        return node.total / node.visits if node.visits else None

    def wanted(self, node: Node) -> int:
        """Returns how many children the node may have now."""
        most = self.rules.children
        if node is self.root and self.rules.root_children is not None:
            most = self.rules.root_children
        return f.progressive_width(most, node.visits, self.rules.widen)

    def may_grow(self, node: Node) -> bool:
        """Says whether another child is wanted and not yet given up."""
        wanted = self.wanted(node)
        return len(node.children) < wanted and node.drawn < self.rules.retries * wanted

    def backed_up(self, node: Node, result: float) -> None:
        """Adds the result of one simulation that ended at this node, to it and to all above it."""
        rules = self.rules
        if rules.backup == "process":
            seen = [one.evaluation for one in node.path() if one.evaluation is not None]
            if seen:
                result = (1 - rules.mix) * result + rules.mix * self.scaled(sum(seen) / len(seen))
        gamma = rules.gamma if rules.backup == "discounted" else 1.0
        for one in node.path():
            one.visits += 1
            one.total += result
            if one.best is None or result > one.best:
                one.best = result
            result *= gamma
        if rules.backup in ("children", "reward"):
            for one in node.path():
                one.future = self._future(one)

    def _future(self, node: Node) -> float | None:
        """Returns the value made of the children's: their mean, or the mean of their Q = reward + gamma * future."""
        known = [(child, q) for child in node.children if (q := self.q(child)) is not None]
        if not known:
            return node.estimate
        return f.mean_of_children([(q, child.visits) for child, q in known])

    def q(self, node: Node) -> float | None:
        """Returns what choosing this node is worth, as selection and extraction compare siblings."""
        if self.rules.backup != "reward":
            return self.value(node)
        above = node.parent
        if node.estimate is None or above is None or (above.estimate is None and above is not self.root):
            return None
        reward = node.estimate - (above.estimate or 0.0)
        if node.terminal:
            return reward
        if not node.children:  # nothing known beyond: the parent's value and the step's own gain
            return (above.estimate or 0.0) + reward
        future = self._future(node)
        return reward + self.rules.gamma * (future if future is not None else node.estimate)

    def close(self, node: Node) -> None:
        """Marks a node as done for selection, and those above it all of whose children are done."""
        node.closed = True
        parent = node.parent
        while parent is not None and not parent.closed and not parent.waiting and not self.may_grow(parent) and all(
            child.closed for child in parent.children
        ):  # fmt: skip
            parent.closed = True
            parent = parent.parent
