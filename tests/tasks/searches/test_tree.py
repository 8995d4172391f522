"""Backup and choice against brute force on small random trees."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.searches._choose import best_path, descend, frontier, score
from tasks.searches._tree import Backup, Node, Rules, Select, Tree

Draws = list[tuple[list[int], float]]


def grown(rules: Rules, draws: Draws, fan: int = 3) -> Tree:
    """Returns a tree whose simulations ended at the nodes that the choices of children lead to, with these results."""
    tree = Tree(rules)
    for choices, result in draws:
        node = tree.root
        for choice in choices:
            node, _ = tree.add(node, f"{choice % fan}\n")
        tree.backed_up(node, result)
    return tree


def under(node: Node) -> list[Node]:
    return [node, *(below for child in node.children for below in under(child))]


draws = st.lists(
    st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=4), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    min_size=1, max_size=14,
)  # fmt: skip


@given(draws)
def test_a_mean_is_that_of_all_results_at_and_below_a_node(told: Draws) -> None:
    tree = grown(Rules(backup="mean"), told)
    for node in tree.nodes:
        here = [r for path, r in told if "".join(f"{c % 3}\n" for c in path).startswith(node.prefix)]
        assert node.visits == len(here)
        assert tree.value(node) == pytest.approx(sum(here) / len(here))


@given(draws)
def test_an_inner_node_has_its_own_visits_and_those_of_its_children(told: Draws) -> None:
    tree = grown(Rules(backup="mean"), told)
    for node in tree.nodes:
        own = sum("".join(f"{c % 3}\n" for c in path) == node.prefix for path, _ in told)
        assert node.visits == own + sum(child.visits for child in node.children)


@given(draws)
def test_a_maximum_is_that_of_all_results_at_and_below_a_node(told: Draws) -> None:
    tree = grown(Rules(backup="max"), told)
    for node in tree.nodes:
        here = [r for path, r in told if "".join(f"{c % 3}\n" for c in path).startswith(node.prefix)]
        assert tree.value(node) == max(here)


@given(draws, st.sampled_from([0.5, 0.9, 1.0]))
def test_a_discounted_result_loses_a_share_at_every_step_up(told: Draws, gamma: float) -> None:
    tree = grown(Rules(backup="discounted", gamma=gamma), told)
    for node in tree.nodes:
        here = [
            r * gamma ** (len(path) - node.depth)
            for path, r in told
            if "".join(f"{c % 3}\n" for c in path).startswith(node.prefix)
        ]
        assert tree.value(node) == pytest.approx(sum(here) / len(here))


@given(draws)
def test_a_mean_of_children_weighs_them_by_their_visits(told: Draws) -> None:
    tree = Tree(Rules(backup="children"))
    for choices, result in told:
        node = tree.root
        for choice in choices:
            node, _ = tree.add(node, f"{choice}\n")
        if node.estimate is None:
            node.estimate = result
        tree.backed_up(node, result)

    def expected(node: Node) -> float | None:
        known = [(v, max(1, c.visits)) for c in node.children if (v := expected(c)) is not None]
        if not known:
            return node.estimate
        return sum(v * w for v, w in known) / sum(w for _, w in known)

    for node in tree.nodes:
        value, wanted = tree.value(node), expected(node)
        assert (value is None) == (wanted is None)
        assert value is None or value == pytest.approx(wanted)


def test_rewards_as_differences_of_values_back_up_as_in_the_worked_example() -> None:
    tree = Tree(Rules(backup="reward"))
    a, _ = tree.add(tree.root, "A\n")
    b, _ = tree.add(tree.root, "B\n")
    a.estimate, b.estimate = 0.9, 0.4
    one, _ = tree.add(a, "A1\n", terminal=True)
    other, _ = tree.add(a, "A2\n", terminal=True)
    one.estimate, other.estimate = 2.05, -0.7
    assert [tree.q(node) for node in (one, other)] == [pytest.approx(1.15), pytest.approx(-1.6)]
    assert tree._future(a) == pytest.approx(-0.225)
    assert tree.q(a) == pytest.approx(0.675)
    assert tree.q(b) == pytest.approx(0.4)
    assert tree._future(tree.root) == pytest.approx(0.5375)


def test_alphamath_running_mean() -> None:
    tree = Tree(Rules(backup="mean", scale="pm1"))
    for result in (0.1, 1.0, -1.0):
        tree.backed_up(tree.root, result)
    assert (tree.root.visits, tree.value(tree.root)) == (3, pytest.approx(0.033333, abs=1e-6))


def test_process_rewards_share_in_the_result() -> None:
    tree = Tree(Rules(backup="process", mix=0.5))
    node, _ = tree.add(tree.root, "a\n")
    node.evaluation = 0.4
    tree.backed_up(node, 1.0)
    assert tree.value(node) == pytest.approx(0.7)


@given(draws, st.sampled_from([0.0, 0.5, 1.5]))
@settings(max_examples=60)
def test_the_walk_takes_the_child_with_the_highest_puct_at_every_node(told: Draws, c: float) -> None:
    tree = grown(Rules(select="puct", c=c, children=3, retries=0), told)
    for node in tree.nodes:
        node.prior = 1 / (1 + node.number)
    found = descend(tree, refine=True)
    assert found is not None
    for node in found.path():
        if node.parent is None:
            continue

        def wanted(child: Node) -> float:
            assert child.parent is not None
            q = tree.value(child)
            assert q is not None
            return q + c * child.prior * math.sqrt(child.parent.visits) / (1 + child.visits)

        best = max(wanted(child) for child in node.parent.children)
        assert wanted(node) == pytest.approx(best)
        assert node.number == min(child.number for child in node.parent.children if wanted(child) == wanted(node))


def test_a_simulation_under_way_counts_as_a_visit_that_was_lost() -> None:
    tree = grown(Rules(select="puct", c=1.0), [([0], 0.8), ([1], 0.7)])
    first, second = tree.root.children
    assert score(tree, first) > score(tree, second)
    for node in first.path():
        node.pending += 1
    assert score(tree, first) < score(tree, second)


def test_a_child_nobody_could_value_stands_as_its_parent() -> None:
    tree = grown(Rules(select="puct", c=0.0), [([0], 0.8), ([1], 0.2)])
    unknown, _ = tree.add(tree.root, "2\n")
    assert tree.value(unknown) is None
    assert score(tree, unknown) == pytest.approx(0.5)


def test_the_best_path_goes_where_most_simulations_went() -> None:
    tree = grown(Rules(), [([0], 0.2), ([0], 0.2), ([1], 1.0), ([0, 1], 0.4)])
    assert [node.prefix for node in best_path(tree)] == ["0\n", "0\n1\n"]


@pytest.mark.parametrize("backup", ["mean", "max", "discounted", "children", "reward", "process", "none"])
def test_nothing_is_worth_anything_before_it_was_evaluated(backup: Backup) -> None:
    tree = Tree(Rules(backup=backup))
    node, _ = tree.add(tree.root, "a\n")
    assert tree.value(node) is None
    assert tree.q(node) is None


def test_scales_are_each_others_inverse() -> None:
    both: list[Any] = [Tree(Rules(scale="pm1")).scaled(score) for score in (0.0, 0.25, 1.0)]
    assert both == [-1.0, -0.5, 1.0]
    assert [(value + 1) / 2 for value in both] == [0.0, 0.25, 1.0]


def test_equal_steps_are_one_step_seen_twice() -> None:
    tree = Tree(Rules(dedup="normalized"))
    one, fresh = tree.add(tree.root, "So  a\n")
    again, new = tree.add(tree.root, "so a \n")
    assert (one is again, fresh, new, one.copies) == (True, True, False, 2)
    apart = Tree(Rules(dedup="none"))
    apart.add(apart.root, "a")
    apart.add(apart.root, "a")
    assert len(apart.root.children) == 2


@given(draws, st.sampled_from(["puct", "uct", "damped", "schedule"]), st.sampled_from([0.3, 1.0]))
@settings(max_examples=60)
def test_every_walk_takes_the_child_its_formula_wants_most_virtual_losses_counted(
    told: Draws, rule: Select, c: float
) -> None:
    tree = grown(Rules(select=rule, c=c, children=3, retries=0), told)
    for node in tree.nodes:
        node.prior, node.pending = 1 / (1 + node.number), node.number % 3

    def wanted(child: Node) -> float:
        assert child.parent is not None
        n, above = child.visits + child.pending, child.parent.visits + child.parent.pending
        q = child.total / n  # a simulation under way counts as a visit that was worth nothing
        if rule == "uct":
            return q + c * math.sqrt(2 * math.log(above) / n)
        if rule == "damped":
            return q + c * math.sqrt(math.log(above)) / (1 + n)
        factor = c if rule == "puct" else math.log((above + 19653) / 19652) + c
        return q + factor * child.prior * math.sqrt(above) / (1 + n)

    node = tree.root
    while node.children:
        node = min(node.children, key=lambda child: (-round(wanted(child), 12), child.number))
    assert descend(tree, refine=True) is node


@given(draws, st.lists(st.sampled_from([None, 0.0, 0.3, 1.0]), min_size=4, max_size=4), st.sampled_from([0.2, 0.5]))
def test_process_rewards_share_in_every_result_on_the_way(
    told: Draws, evaluations: list[float | None], mix: float
) -> None:
    tree = Tree(Rules(backup="process", mix=mix))
    results: list[tuple[Node, float]] = []
    for choices, result in told:
        node = tree.root
        for depth, choice in enumerate(choices):
            node, _ = tree.add(node, f"{choice}\n")
            node.evaluation = evaluations[depth]
        tree.backed_up(node, result)
        seen = [found for found in evaluations[: len(choices)] if found is not None]
        results.append((node, (1 - mix) * result + mix * sum(seen) / len(seen) if seen else result))
    for node in tree.nodes:
        below = [result for end, result in results if node in end.path()]
        assert tree.value(node) == pytest.approx(sum(below) / len(below))


@given(draws, st.sampled_from([0.7, 1.0]))
def test_rewards_back_up_as_gains_and_what_follows(told: Draws, gamma: float) -> None:
    tree = Tree(Rules(backup="reward", gamma=gamma))
    for choices, result in told:
        node = tree.root
        for choice in choices:
            node, fresh = tree.add(node, f"{choice}\n")
            if fresh:
                node.estimate = (result + node.depth) / 4
        tree.backed_up(node, 0.0)

    def q(node: Node) -> float:
        before = node.parent.estimate if node.parent is not None and node.parent.estimate is not None else 0.0
        assert node.estimate is not None
        if not node.children:
            return node.estimate
        return node.estimate - before + gamma * v(node)

    def v(node: Node) -> float:
        weights = [max(1, child.visits) for child in node.children]
        return sum(q(c) * w for c, w in zip(node.children, weights, strict=True)) / sum(weights)

    for node in tree.nodes[1:]:
        assert tree.q(node) == pytest.approx(q(node))


@given(draws, st.integers(1, 4))
def test_a_frontier_is_the_open_leaves_in_the_order_of_its_rule(told: Draws, count: int) -> None:
    for rule in ("best_first", "breadth", "uniform"):
        tree = grown(Rules(select=rule), told)
        leaves = [node for node in tree.nodes if not node.children]
        found = frontier(tree, count, seed=1)
        assert len(found) == min(count, len(leaves))
        if rule == "best_first":
            assert found == sorted(leaves, key=lambda node: (-(tree.value(node) or 0.0), node.number))[:count]
        if rule == "breadth":
            assert found == leaves[:count]
        again = frontier(grown(Rules(select=rule), told), count, seed=1)
        assert [node.prefix for node in found] == [node.prefix for node in again]


@given(draws, st.integers(1, 3))
def test_a_beam_is_the_best_of_the_deepest_level_and_closes_the_rest(told: Draws, width: int) -> None:
    tree = grown(Rules(select="beam", width=width), told)
    deepest = max(node.depth for node in tree.nodes)
    level = [node for node in tree.nodes if node.depth == deepest]
    found = frontier(tree, 99, seed=0)
    assert found == sorted(level, key=lambda node: (-(tree.value(node) or 0.0), node.number))[:width]
    assert {node for node in level if node.closed} == set(level) - set(found)
