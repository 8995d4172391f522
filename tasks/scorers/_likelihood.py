"""Maximum a posteriori strengths of Bradley-Terry and Plackett-Luce, with standard errors, by Newton's method.

Source: Bradley and Terry 1952; Plackett 1975; Hunter 2004, doi:10.1214/aos/1079120141; standard errors from the
inverse observed information (Firth and de Menezes 2004 for the sum-to-zero scale). The normal prior makes the
estimate finite where a completion always wins, and unique where the comparisons fall apart into islands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_STEPS, _SMALL = 100, 1e-10


class Strengths(NamedTuple):
    """Strengths on the log-odds scale, summing to nought, and their standard errors; same shape."""

    value: Floats
    error: Floats


def pairs(wins: Floats, prior_std: float) -> Strengths:
    """Returns the Bradley-Terry strengths of a stack of win tables.

    Args:
        wins: (..., K, K); how often the row beat the column, halves for ties.
        prior_std: of the normal prior on each strength.
    """
    games = wins + np.swapaxes(wins, -1, -2)
    theta = np.zeros(wins.shape[:-1])
    eye = np.eye(wins.shape[-1])
    for _ in range(_STEPS):
        chance = _sigmoid(theta[..., :, None] - theta[..., None, :])
        gradient = (wins - games * chance).sum(axis=-1) - theta / prior_std**2
        curve = games * chance * (1 - chance)
        hessian = eye * curve.sum(axis=-1)[..., None] - curve + eye / prior_std**2
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        theta = theta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max(initial=0.0) < _SMALL:
            break
    return Strengths(theta, _errors(hessian))


def lists(rankings: Sequence[Sequence[Sequence[int]]], weights: Sequence[float], count: int, prior_std: float) -> Strengths:
    """Returns the Plackett-Luce strengths of rankings of ``count`` things.

    Args:
        rankings: each a sequence of tiers from best to worst; things of one tier are tied and meet the same rest
            (Breslow's treatment of ties). weights: of each ranking.
    """
    stages = [
        (np.array(tier), np.array([thing for later in ranking[place:] for thing in later]), weight)
        for ranking, weight in zip(rankings, weights, strict=True)
        for place, tier in enumerate(ranking)
        if place < len(ranking) - 1
    ]
    theta = np.zeros(count)
    for _ in range(_STEPS):
        gradient, hessian = -theta / prior_std**2, np.eye(count) / prior_std**2
        for tier, rest, weight in stages:
            share = np.exp(theta[rest] - theta[rest].max())
            share /= share.sum()
            np.add.at(gradient, tier, weight)
            gradient[rest] -= weight * len(tier) * share
            hessian[np.ix_(rest, rest)] += weight * len(tier) * (np.diag(share) - np.outer(share, share))
        step = np.linalg.solve(hessian, gradient)
        theta = theta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max(initial=0.0) < _SMALL:
            break
    return Strengths(theta, _errors(hessian))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


def _errors(hessian: Floats) -> Floats:
    """Returns standard errors of strengths measured from their mean, so that the prior's free level does not count."""
    count = hessian.shape[-1]
    centre = np.eye(count) - 1 / count
    covariance = centre @ np.linalg.inv(hessian) @ centre
    return np.asarray(np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0)))
