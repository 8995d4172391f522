"""A judge's own measure as evidence: a rising map from its margin or probability to log-odds, learnt from its audit.

Source: Platt 1999, Probabilistic outputs for support vector machines (logistic regression on a classifier's margin, and
targets between 0 and 1); Niculescu-Mizil and Caruana 2005, ICML (it needs fewer cases than isotonic regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.readers.audits import VERDICT, Audited, Floats

STDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Standard deviations of a judge's weight that are thought possible."""
POWERS = {"margin": (1.0, 2.0, 4.0, 6.0), "probability": (0.5, 1.0, 2.0)}
"""Of rewards the small differences often say nothing; of probabilities they do."""
_FLOOR = 1e-3
"""Least weight of a power: what an audit cannot tell apart keeps its order."""
_PROVEN = 2.5
"""Standard errors from which a judge counts as naming the worse one; below that it is not turned round."""
_PRIOR_STD, _STEPS = 1.5, 50


class Fitted(NamedTuple):
    """Weights, and the log evidence (Laplace's) for the prior they were fitted under."""

    weights: Floats
    evidence: float


class Shape(NamedTuple):
    """The map s -> turn * sum of weight_k * (2 |s| / (|s| + scale)) ** k * sign(s), rising but for ``turn`` = -1."""

    scale: float
    powers: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (1.0,)
    turn: float = 1.0

    def __call__(self, said: Floats) -> Floats:
        """Returns what the direct answers amount to; the last column (what others imply) stays."""
        direct = said[:, :3]
        size = 2 * np.abs(direct) / (np.abs(direct) + self.scale)
        total = np.zeros_like(size)
        for power, weight in zip(self.powers, self.weights, strict=True):
            total = total + weight * size**power
        return np.column_stack([self.turn * np.sign(direct) * total, said[:, 3:]])


def shape(record: Audited) -> Shape | None:
    """Returns the map that an audit teaches, null where it holds verdicts: those are taken as they are.

    Several powers are fitted under several priors and averaged by the evidence for them: how steeply a judge gets surer
    with its margin differs between judges. The root mean square of what the map gives on the audited items is 1.
    """
    if record.unit == VERDICT:
        return None
    said, target = record.said, record.targets()
    heard = ~np.isnan(said[:, :3]).all(axis=1)
    said, target = said[heard], target[heard]
    scale, powers = middle(said[:, :3]), POWERS[record.unit]
    rows = [np.nanmean(Shape(scale, (power,))(said)[:, :3], axis=1)[:, None] for power in powers]
    turn = -1.0 if _errs(rows[0], target) else 1.0
    sizes = [float(np.sqrt((row**2).mean())) or 1.0 for row in rows]
    fits = [[fit(turn * row / size, target, prior=np.eye(1) * std**2) for std in STDS]
            for row, size in zip(rows, sizes, strict=True)]  # fmt: skip
    share = shares([each.evidence for some in fits for each in some]).reshape(len(powers), len(STDS))
    steep = [float(part @ [each.weights[0] for each in some]) for part, some in zip(share, fits, strict=True)]
    weights = np.maximum(steep, _FLOOR) / sizes
    whole = np.concatenate(rows, axis=1) @ weights
    return Shape(scale, powers, tuple(weights / (float(np.sqrt((whole**2).mean())) or 1.0)), turn)


def shares(evidence: Sequence[float]) -> Floats:
    """Returns how likely each of several models is by its log evidence, all being as likely before."""
    found = np.exp(np.array(evidence) - max(evidence))
    return np.asarray(found / found.sum())


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
