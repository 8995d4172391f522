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


def lists(
    rankings: Sequence[Sequence[Sequence[int]]], weights: Sequence[float], count: int, prior_std: float
) -> Strengths:
    """Returns the Plackett-Luce strengths of rankings of ``count`` things.

    Args:
        rankings: each a sequence of tiers from best to worst. Things of one tier are tied: each is taken as chosen
            from all that are not above it (Breslow), the last tier with one choice fewer, so that a tie of two is
            half a win to either. weights: of each ranking.
    """
    chosen, rest, weight = _stages(rankings, weights, count)
    theta = np.zeros(count)
    for _ in range(_STEPS):
        odds = np.where(rest, np.exp(theta), 0.0)
        share = odds / odds.sum(axis=1, keepdims=True)
        choices = weight * chosen.sum(axis=1)
        gradient = weight @ chosen - choices @ share - theta / prior_std**2
        curve = np.einsum("s,si,sj->ij", choices, share, share)
        hessian = np.diag(choices @ share) - curve + np.eye(count) / prior_std**2
        step = np.linalg.solve(hessian, gradient)
        theta = theta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max(initial=0.0) < _SMALL:
            break
    return Strengths(theta, _errors(hessian))


def _stages(
    rankings: Sequence[Sequence[Sequence[int]]], weights: Sequence[float], count: int
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Returns one row per choice of a tier: what was chosen, from what, and its weight; equal choices are merged."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        rest: list[int] = []
        for tier in reversed(ranking):
            rest += tier
            choices = len(tier) - (len(rest) == len(tier))
            if choices:
                key = (tuple(sorted(tier)), tuple(sorted(rest)))
                found[key] = found.get(key, 0.0) + weight * choices / len(tier)
    chosen, among = np.zeros((len(found), count)), np.zeros((len(found), count), dtype=bool)
    for row, (tier_things, rest_things) in enumerate(found):
        chosen[row, list(tier_things)], among[row, list(rest_things)] = 1.0, True
    return chosen, among, np.array(list(found.values()))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


def _errors(hessian: Floats) -> Floats:
    """Returns standard errors of strengths measured from their mean, so that the prior's free level does not count."""
    count = hessian.shape[-1]
    centre = np.eye(count) - 1 / count
    covariance = centre @ np.linalg.inv(hessian) @ centre
    return np.asarray(np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0)))
