"""How sure two counts of right rollouts make it that one step is better than another.

Source: Beta-binomial posterior; empirical Bayes by moments (Carlin and Louis 2000, chapter 3); the soft label from
visits is MCTS-DPO's (arXiv:2405.00451, released code: label smoothing 1 / (1 + rejected visits / chosen visits)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.selectors._trees import Step

_GRID = (np.arange(4096) + 0.5) / 4096


def probability_better(
    one: tuple[float, float], other: tuple[float, float], prior: tuple[float, float] = (1.0, 1.0)
) -> float:
    """Returns P(p_one > p_other) for (successes, failures) of each under the same Beta prior.

    >>> round(probability_better((6, 2), (2, 6)), 4)
    0.9717
    """
    first, second = (_density(s + prior[0], f + prior[1]) for s, f in (one, other))
    below = np.cumsum(second) - second / 2
    return float(min(max((first * below).sum(), 0.0), 1.0))


def doubt(step: Step, prior: tuple[float, float] = (1.0, 1.0)) -> float:
    """Returns how sure it is that a step, or one before it, is worse than what stands beside or before it.

    A right step never lowers the chance of a right end: one with a smaller share than the step before it, or than
    another way on, is likely wrong, even where the policy often recovers from it.
    """
    most = 0.0
    for one in step.path():
        above = one.parent
        if above is None or not one.rollouts:
            continue
        own = (one.successes, one.rollouts - one.successes)
        for other in (above, *above.children):
            if other is not one and other.rollouts:
                counts = (other.successes, other.rollouts - other.successes)
                most = max(most, probability_better(counts, own, prior))
    return most


def _density(a: float, b: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    logs = (a - 1) * np.log(_GRID) + (b - 1) * np.log1p(-_GRID)
    mass = np.exp(logs - logs.max())
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def fit_prior(counts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Returns the Beta prior whose beta-binomial has the mean and spread of these (successes, failures).

    Siblings' values lie close together; a flat prior then calls the luckier one better too often.
    """
    trials = np.array([s + f for s, f in counts if s + f > 1])
    shares = np.array([s / (s + f) for s, f in counts if s + f > 1])
    if len(shares) < 2:
        return 1.0, 1.0
    mean = float(np.clip((shares * trials).sum() / trials.sum(), 0.01, 0.99))
    spread = float(((shares - mean) ** 2).mean())
    noise, inverse = mean * (1 - mean), float((1 / trials).mean())
    true = max((spread - noise * inverse) / max(1 - inverse, 1e-9), noise / 200)
    strength = max(noise / min(true, noise * 0.999) - 1, 1e-3)
    return mean * strength, (1 - mean) * strength


def smoothing(chosen_visits: int, rejected_visits: int) -> float:
    """Returns MCTS-DPO's label smoothing, at most one half (where nothing is left to learn).

    >>> smoothing(12, 4), smoothing(3, 9)
    (0.25, 0.5)
    """
    return min(1 - 1 / (1 + rejected_visits / max(1, chosen_visits)), 0.5)
