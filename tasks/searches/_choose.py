"""Which node a search works on next.

Source: see ``_tree`` and ``_formulas``; beam search over steps: AlphaMath (arXiv:2405.03553, section 3.3).
"""

from __future__ import annotations

from schemas.ids import coin
from tasks.searches import _formulas as f
from tasks.searches._tree import Node, Tree

WALKS = ("puct", "uct", "damped", "schedule")


def score(tree: Tree, child: Node) -> float:
    """Returns how much the tree policy wants this child; simulations under way count as visits that were lost."""
    parent, rules = child.parent, tree.rules
    assert parent is not None
    visits, above = child.visits + child.pending, parent.visits + parent.pending
    q = tree.q(child)
    if q is None:  # nobody could say: as good as its parent
        q = tree.value(parent)
        q = tree.lowest if q is None else q
    if child.pending:
        q = (q * max(child.visits, 1) + child.pending * tree.lowest) / (max(child.visits, 1) + child.pending)
    if rules.select == "uct":
        return f.uct(q, above, visits, rules.c)
    if rules.select == "damped":
        return f.ucb_damped(q, above, visits, rules.c)
    if rules.select == "schedule":
        return q + child.prior * f.schedule(above, visits, start=rules.c)
    return f.puct(q, child.prior, above, visits, rules.c)


def descend(tree: Tree, *, refine: bool) -> Node | None:
    """Returns the leaf that the tree policy leads to; null when nothing is left to do.

    Args:
        refine: continuations from a node that is fully expanded still teach something (they are rollouts), so a walk
            that finds only ends stays where it is; otherwise nodes with nothing left below them are passed by.
    """
    node = tree.start
    while True:
        if refine and (tree.may_grow(node) or not node.children):
            return node
        if not refine and not node.children:
            return None if node.closed or node.waiting else node
        if not refine and tree.rules.widen > 0 and not node.waiting and tree.may_grow(node):
            return node
        open_ones = [child for child in node.children if not (child.terminal or child.closed or child.waiting)]
        if not refine:
            open_ones = [child for child in open_ones if child.children or not child.waiting]
        if not open_ones:
            if refine:
                return node
            if not any(child.waiting for child in node.children):
                tree.close(node)
                if node is tree.start or tree.start.closed:
                    return None
                node = tree.start
                continue
            return None
        best = open_ones[0]
        if len(open_ones) > 1:
            best_score = score(tree, best)
            for child in open_ones[1:]:
                if (found := score(tree, child)) > best_score:
                    best, best_score = child, found
        node = best


def frontier(tree: Tree, count: int, seed: int) -> list[Node]:
    """Returns up to ``count`` unexpanded nodes in the order of the rule; for a beam, of the deepest level only."""
    rule = tree.rules.select
    leaves = [node for node in tree.nodes if not node.children and not node.closed and not node.waiting]
    if rule == "beam":
        deepest = max((node.depth for node in leaves), default=0)
        leaves = [node for node in leaves if node.depth == deepest]
    if rule in ("beam", "best_first"):
        leaves.sort(key=lambda node: (-_or_lowest(tree, node), node.number))
    elif rule == "uniform":
        leaves.sort(key=lambda node: coin(seed, "uniform", len(tree.nodes), node.prefix))
    chosen = leaves[: tree.rules.width if rule == "beam" else count]
    if rule == "beam":
        for node in leaves[tree.rules.width :]:
            node.closed = True
    return chosen


def _or_lowest(tree: Tree, node: Node) -> float:
    value = tree.q(node)
    return tree.lowest - 1 if value is None else value


def best_child(tree: Tree, node: Node) -> Node | None:
    """Returns the child to play: most visits, then value, then the first; null where none was evaluated."""
    known = [child for child in node.children if tree.q(child) is not None]
    if not known:
        return None
    return max(known, key=lambda child: (child.visits, tree.q(child), -child.number))


def best_path(tree: Tree) -> list[Node]:
    """Returns the path of best children from the root, as far as it was evaluated."""
    node, path = tree.root, []
    while (child := best_child(tree, node)) is not None:
        path.append(child)
        node = child
    return path
