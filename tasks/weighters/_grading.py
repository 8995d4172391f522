"""A judge's own measure as evidence: a rising map from its margin or probability to log-odds, learnt from its audit.

Source: Platt 1999, Probabilistic outputs for support vector machines (logistic regression on a classifier's margin, and
targets between 0 and 1); Niculescu-Mizil and Caruana 2005, ICML (it needs fewer cases than isotonic regression).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tasks.readers.audits import VERDICT, Audited, Floats

_PROVEN = 2.5
"""Standard errors from which a judge counts as naming the worse one; below that it is not turned round."""
_PRIOR_STD, _STEPS = 1.5, 50




class Fitted(NamedTuple):
    """Weights, and the log evidence (Laplace's) for the prior they were fitted under."""

    weights: Floats
    evidence: float


class Shape(NamedTuple):
    """The map s -> turn * 2 s / (|s| + scale), odd: 1 at the scale, at most 2; rising but for ``turn`` = -1."""

    scale: float
    turn: float = 1.0

    def __call__(self, said: Floats) -> Floats:
        """Returns what the direct answers amount to; the last column (what others imply) stays."""
        direct = said[:, :3]
        return np.column_stack([self.turn * 2 * direct / (np.abs(direct) + self.scale), said[:, 3:]])


def shape(record: Audited) -> Shape | None:
    """Returns the map that an audit teaches, null where it holds verdicts: those are taken as they are."""
    if record.unit == VERDICT:
        return None
    heard = ~np.isnan(record.said[:, :3]).all(axis=1)
    plain = Shape(middle(record.said[heard, :3]))
    mapped = np.nanmean(plain(record.said[heard])[:, :3], axis=1)[:, None]
    return plain._replace(turn=-1.0 if _errs(mapped, record.targets()[heard]) else 1.0)


def middle(said: Floats) -> float:
    """Returns the median size of the answers that name a winner, 1 where there are none."""
    sizes = np.abs(said[np.isfinite(said) & (said != 0)])
    return float(np.median(sizes)) if len(sizes) else 1.0


def _errs(rows: Floats, target: Floats) -> bool:
    weight = fit(rows, target).weights
    chance = 0.5 * (1 + np.tanh(rows @ weight / 2))
    information = float((rows[:, 0] ** 2 * chance * (1 - chance)).sum())
    return bool(weight[0] * np.sqrt(information) < -_PROVEN)


def fit(rows: Floats, target: Floats, count: Floats | None = None, *, prior: Floats | None = None) -> Fitted:
    """Returns the logistic weights under which the better one is better, drawn towards nought by the prior.

    Only the better one's view is there, and no constant: seen from the worse one every number is negated, so that
    swapping a pair gives 1 - P.

    Args:
        target: 1, or 1/2 where people tie. count: how much each row weighs.
        prior: covariance of the weights; by default that of independent ones with a standard deviation of 1.5.
    """
    precision = np.eye(rows.shape[1]) / _PRIOR_STD**2 if prior is None else np.linalg.inv(prior)
    weights, count = np.zeros(rows.shape[1]), np.ones(len(rows)) if count is None else count
    curve = precision
    for _ in range(_STEPS):
        chance = 0.5 * (1 + np.tanh(rows @ weights / 2))
        gradient = rows.T @ (count * (target - chance)) - precision @ weights
        curve = (rows * (count * chance * (1 - chance))[:, None]).T @ rows + precision
        step = np.linalg.solve(curve, gradient)
        weights = weights + np.clip(step, -2.0, 2.0)
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    logit = rows @ weights
    likely = float((count * (target * logit - np.logaddexp(0.0, logit))).sum())
    spread = np.linalg.slogdet(precision)[1] - np.linalg.slogdet(curve)[1]
    return Fitted(weights, likely - float(weights @ precision @ weights) / 2 + float(spread) / 2)
