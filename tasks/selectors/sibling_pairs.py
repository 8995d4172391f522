"""Pairs of steps with the same beginning, by what the search found them worth.

Source: MCTS-DPO (arXiv:2405.00451, section 2.2: best and worst child along the path, visits as soft label); SVPO
(arXiv:2406.10858, section 3.2: value preferences); CPL (arXiv:2409.08642, section 3.2: all pairs of opposite sign,
values of solutions scaled down); Reward Generalization (arXiv:2402.10184: sibling comparisons).

Use it to turn any search tree into step pairs. It is bad with few visits a step: values of one or two rollouts order
siblings by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

import polars as pl

from schemas.blocks import selector
from tasks.selectors._posterior import doubt, probability_better, smoothing
from tasks.selectors._trees import Step, Tree, pair, preferences, same, trees


@selector
def sibling_pairs(
    nodes: pl.DataFrame,
    *,
    by: Literal["value", "share", "self_evaluation"] = "value",
    take: Literal["best_worst", "best_second", "signed", "all"] = "best_worst",
    along: Literal["all", "best_path", "played"] = "all",
    min_gap: float = 0.0,
    min_visits: int = 1,
    min_rollouts: int = 0,
    min_chosen: float | None = None,
    max_rejected: float | None = None,
    min_root: float | None = None,
    max_doubt: float = 1.0,
    soft: Literal["none", "visits", "posterior"] = "none",
    min_probability: float = 0.5,
    prior: tuple[float, float] = (1.0, 1.0),
    end_scale: float = 1.0,
    solved: bool = False,
    per_tree: int | None = None,
) -> pl.DataFrame:
    """Returns pairs of siblings, the better one chosen; only steps that were evaluated take part, and no tie.

    Args:
        by: what compares them: the search's value, the share of right rollouts, or the policy's own evaluation.
        take: of a node's children the best and the worst, the best two, all pairs with values above and below zero
            (of ends only the best and worst), or all pairs.
        along: at every node, at those on the best path, or at those the search moved along (``played``).
        min_gap: values must lie further apart. min_visits, min_rollouts: of both sides.
        min_chosen, max_rejected: bounds of the two values. min_root: of the whole tree's: where the policy hardly ever
            ends right, a right end says little about the steps.
        max_doubt: that the chosen step, or one before it, is worse than what stands beside or before it, by rollouts.
        soft: ``p_chosen`` from visits, or the posterior of the rollouts' counts under the Beta ``prior``; a pair with
            nothing to learn, or a posterior below ``min_probability``, is left out.
        end_scale: factor of both values where the two are ends. solved: only trees whose best path ends right.
        per_tree: at most so many, those with the largest gaps.

    Raises:
        ValueError: a parameter is out of its range.
    """
    if min_gap < 0 or not 0 <= min_probability < 1 or min(prior) <= 0:
        raise ValueError(f"min_gap is {min_gap}, min_probability {min_probability}, prior {prior}: out of range")
    rows = []
    for tree in trees(nodes):
        root = tree.root.measured(by)
        if (solved and not _solved(tree)) or (min_root is not None and (root is None or root < min_root)):
            continue
        found = []
        for parent in _parents(tree, along, by):
            able = [
                child for child in parent.children
                if child.measured(by) is not None and child.visits >= min_visits and child.rollouts >= min_rollouts
            ]  # fmt: skip
            for one, other in _taken(able, by, take):
                row = _row(one, other, by, (min_gap, min_chosen, max_rejected), end_scale)
                if (
                    row is not None
                    and (max_doubt >= 1 or doubt(one) <= max_doubt)
                    and _softened(row, one, other, soft, prior, min_probability)
                ):
                    found.append(row)
        found.sort(key=lambda row: (-row["margin"], row["chosen_id"], row["rejected_id"]))
        rows += found[:per_tree]
    return preferences(rows)


def _parents(tree: Tree, along: str, by: str) -> list[Step]:
    if along == "all":
        return [step for step in tree.steps if len(step.children) > 1]
    if along == "played":
        return [tree.root, *(step for step in tree.steps if step.meta.get("played"))]
    return [tree.root, *tree.best_path(by)]


def _solved(tree: Tree) -> bool:
    played = [step for step in tree.steps if step.meta.get("played")] or tree.best_path()
    return bool(played) and played[-1].terminal and (played[-1].reward or 0.0) >= 0.5


def _taken(able: list[Step], by: str, take: str) -> Iterator[tuple[Step, Step]]:
    ranked = sorted(able, key=lambda step: (-_of(step, by), step.order))
    if len(ranked) < 2:
        return
    if take == "best_worst":
        yield ranked[0], ranked[-1]
    elif take == "best_second":
        yield ranked[0], ranked[1]
    elif take == "all":
        yield from combinations(ranked, 2)
    else:
        for ends in (False, True):
            kind = [step for step in ranked if step.terminal is ends]
            up = [step for step in kind if _of(step, by) > 0]
            down = [step for step in kind if _of(step, by) < 0]
            yield from zip(up[:1], down[-1:], strict=False) if ends else ((a, b) for a in up for b in down)


def _of(step: Step, by: str) -> float:
    number = step.measured(by)
    assert number is not None
    return number


def _row(
    one: Step, other: Step, by: str, limits: tuple[float, float | None, float | None], end_scale: float
) -> dict[str, Any] | None:
    gap, least, most = limits
    high, low = _of(one, by), _of(other, by)
    if not high - low > gap or same(one.text, other.text):
        return None
    if (least is not None and high < least) or (most is not None and low > most):
        return None
    row = pair(one, other, by)
    if end_scale != 1.0 and one.terminal and other.terminal:
        row |= {"chosen_score": high * end_scale, "rejected_score": low * end_scale, "margin": (high - low) * end_scale}
    return row


def _softened(row: dict[str, Any], one: Step, other: Step, soft: str, prior: tuple[float, float], least: float) -> bool:
    """Sets ``p_chosen`` where it is asked for, and says whether the pair stays."""
    if soft == "none":
        return True
    if soft == "visits":
        row["p_chosen"] = 1 - smoothing(one.visits, other.visits)
        return bool(row["p_chosen"] > max(0.5, least))
    first, second = ((float(s.successes), float(s.rollouts - s.successes)) for s in (one, other))
    row["p_chosen"] = probability_better(first, second, prior)
    return bool(row["p_chosen"] > 0.5 and row["p_chosen"] >= least)
