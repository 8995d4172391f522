"""The numbers of a search: priors, selection scores, backups. Plain functions of plain numbers.

Source: PUCT: AlphaZero (arXiv:1712.01815); UCB1: Auer et al. 2002; MCTS-DPO (arXiv:2405.00451); ReST-MCTS*
(arXiv:2406.03816); AlphaMath (arXiv:2405.03553); OmegaPRM (arXiv:2406.06592); LongDPO (arXiv:2502.02095).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, sqrt


def prior_mean(logprob: float, tokens: int) -> float:
    """Returns the prior exp(mean log-probability)."""
    return exp(logprob / max(tokens, 1))


def prior_length(logprob: float, tokens: int, power: float = 1.25) -> float:
    """Returns the prior exp(sum of log-probabilities / tokens ** power): long steps lose less than by the sum."""
    return exp(logprob / max(tokens, 1) ** power)


def puct(q: float, prior: float, parent: int, visits: int, c: float) -> float:
    """Returns q + c * prior * sqrt(parent's visits) / (1 + visits)."""
    return q + c * prior * sqrt(parent) / (1 + visits)


def uct(q: float, parent: int, visits: int, c: float) -> float:
    """Returns q + c * sqrt(2 ln(parent's visits) / visits); a child never visited comes first."""
    return q + c * sqrt(2 * log(max(parent, 1)) / visits) if visits else inf


def ucb_damped(q: float, parent: int, visits: int, c: float) -> float:
    """Returns q + c * sqrt(ln(parent's visits)) / (1 + visits): defined for a child never visited."""
    return q + c * sqrt(log(max(parent, 1))) / (1 + visits)


def schedule(parent: int, visits: int, base: float = 19652.0, start: float = 1.25) -> float:
    """Returns the growing exploration factor (ln((N + base + 1) / base) + start) * sqrt(N) / (1 + visits)."""
    return (log((parent + base + 1) / base) + start) * sqrt(parent) / (1 + visits)


def pool(mc: float, length: float, *, alpha: float = 0.5, beta: float = 0.9, longest: float = 500.0) -> float:
    """Returns OmegaPRM's value of a wrong rollout: alpha ** (1 - MC) * beta ** (length / longest)."""
    return float(alpha ** (1 - mc) * beta ** (length / longest))


def pool_bonus(total: int, visits: int, c: float = 0.125) -> float:
    """Returns OmegaPRM's exploration bonus c * sqrt(all visits) / (1 + visits)."""
    return c * sqrt(total) / (1 + visits)


def mean_of_children(values: Sequence[tuple[float, int]]) -> float | None:
    """Returns the mean of children's values weighted by their visits, one where there are none; null without children.

    >>> round(mean_of_children([(.75, 2), (.2, 1)]), 6)
    0.566667
    """
    weights = [max(1, visits) for _, visits in values]
    if not weights:
        return None
    return sum(value * weight for (value, _), weight in zip(values, weights, strict=True)) / sum(weights)


def rollout_update(value: float, best: float, alpha: float = 0.5) -> float:
    """Returns ReST-MCTS*'s value after a look ahead: (1 - alpha) * value + alpha * the best value met."""
    return (1 - alpha) * value + alpha * best


def step_confidence(confidence: float, parent_depth: int, correct: bool | None = None) -> float:
    """Returns MCTS-DPO's step value: confidence / max(parent's depth - 3, 1), and +1.25 or -1 at a decided end."""
    end = 0.0 if correct is None else 1.25 if correct else -1.0
    return confidence / max(parent_depth - 3, 1) + end


def progressive_width(children: int, visits: int, power: float) -> int:
    """Returns how many children a node may have after so many visits: children * visits ** power, rounded up."""
    return children if power <= 0 else max(children, -int(-(children * max(visits, 1) ** power) // 1))


def within(low: float, high: float, value: float) -> float:
    """Returns the value, held between low and high."""
    return min(max(value, low), high)
