"""Logistic pooling: how much each judge's answers weigh together, fitted on items that all of them were audited on.

Source: Winkler 1981, Management Science 27 (the consensus of correlated sources is linear in them, with weights from
the inverse of their covariance); Efron 1975, JASA 70 (logistic regression fits those weights without assuming the
covariance); Clemen and Winkler 1985, Operations Research 33 (n equally correlated sources are worth
n / (1 + (n - 1) * rho)).
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.readers.audits import ANSWERS, LEAST_COMMON, VERDICT, Audited, Floats, together
from tasks.weighters._grading import STDS, fit, shares

ASSUMED = "assumed"
"""The gold set of a judge that nobody audited."""
_MOST = 4.0
"""Log-odds beyond which those of judges audited on other pairs do not grow: a claim of certainty is none there."""
LEAST_WEIGHT = 0.02
"""Of a single graded judge: an audit that proves nothing leaves its order as it is."""
_ALIKE = (0.0, 0.9)
"""Correlations of two judges' weights that are thought possible."""


def assumed(accuracy: float, items: int = 20) -> Audited:
    """Returns the record of a judge nobody audited, as if it had been right so often on so many pairs."""
    right = round(accuracy * items)
    said = np.full((items, len(ANSWERS)), np.nan)
    said[:, 2] = np.where(np.arange(items) < right, 1.0, -1.0)
    return Audited([(ASSUMED, str(item)) for item in range(items)], said)


def features(said: Floats, like: npt.NDArray[np.bool_]) -> Floats:
    """Returns (rows x 3) a judge's answers as they are pooled: mean verdict, place, what others imply.

    Args:
        said: (rows x ANSWERS), NaN where the judge did not say; graded answers are mapped before (``_grading``).
        like: (ANSWERS,) which kinds of answer there are; what is not, is not used. ``place`` is 1 where the first
            named was shown first only, -1 where second only, 0 where both orders or none are known.
    """
    straight, turned, blind, implied = (said[:, k] for k in range(len(ANSWERS)))
    both = np.where(np.isnan(straight) | np.isnan(turned), np.nan, (straight + turned) / 2)
    if like[0] and like[1]:
        verdict, place = np.where(np.isnan(both), blind, both), 0.0
    elif like[0] or like[1]:
        shown = straight if like[0] else turned
        verdict, place = np.where(np.isnan(shown), blind, shown), 1.0 if like[0] else -1.0
    else:
        verdict, place = np.where(np.isnan(blind), both, blind) if like[2] else np.zeros(len(said)), 0.0
    return np.column_stack([verdict, np.full(len(said), place), implied if like[3] else np.zeros(len(said))])


def weights(records: list[Audited], likes: npt.NDArray[np.bool_], correlation: float) -> Floats:
    """Returns (judges x 3) the weights of the judges' features in the log-odds that the first named is better.

    Fitted together where the judges share enough audited items. Else each alone, and divided by 1 + (n - 1) * rho,
    where rho is what two of them were measured to share of their errors, else ``correlation``.
    """
    common = _common(records, likes)
    if len(records) == 1 or common.items >= LEAST_COMMON:
        return _fitted(common)
    alone = [_fitted(_common([record], like[None])) for record, like in zip(records, likes, strict=True)]
    return np.concatenate(alone) / (1 + (len(records) - 1) * _measured(records, correlation))


def _measured(records: list[Audited], correlation: float) -> float:
    """Returns the mean correlation of two judges' errors, the one assumed for those without common items."""
    pairs = [together(list(two)) for two in combinations(records, 2)]
    each = [float(met.correlation[0, 1]) if met is not None else np.nan for met in pairs]
    return float(np.mean([correlation if np.isnan(value) else max(value, 0.0) for value in each]))


class Examples(NamedTuple):
    """Audited items seen from the better one: features (rows x 3 * judges), truth, weights, how many items."""

    rows: Floats
    target: Floats
    weight: Floats
    items: int


def _common(records: list[Audited], likes: npt.NDArray[np.bool_]) -> Examples:
    """Returns the items that all judges answered as the pairs at hand were judged.

    Where those were shown in one order, an item stands there once with the better one shown first and once second, as
    far as it was judged so. Both halves weigh the same, or where the better stood first more often in the gold set
    would look like a love of that place; where one half is missing the place is not used.
    """
    places = [{item: index for index, item in enumerate(record.items)} for record in records]
    shared = sorted(set(records[0].items).intersection(*(record.items for record in records[1:])))
    halves = []
    for turn in (False, True):
        parts = []
        for record, like, place in zip(records, likes, places, strict=True):
            said = record.said[[place[item] for item in shared]]
            kinds = like.copy()
            if turn and like[0] != like[1]:
                kinds[:2] = ~like[:2]
            parts.append(features(said, kinds))
        halves.append(np.concatenate(parts, axis=1))
    known = [~np.isnan(half).any(axis=1) for half in halves]
    items = int((known[0] | known[1]).sum())
    truth = records[0].targets()[[places[0][item] for item in shared]]
    target = np.concatenate([truth[there] for there in known])
    rows = [half[there] for half, there in zip(halves, known, strict=True)]
    if not len(rows[0]) or not len(rows[1]):
        whole = np.concatenate(rows)
        whole[:, 1::3] = 0.0
        return Examples(whole, target, np.ones(len(whole)), items)
    weight = [np.full(len(half), items / (2 * len(half))) for half in rows]
    return Examples(np.concatenate(rows), target, np.concatenate(weight), items)


def _fitted(given: Examples) -> Floats:
    """Returns the mean of the weights under several priors, each by the evidence for it.

    How good judges are, and how alike, differs more between panels than any one prior allows: it would draw some
    weights too near to nought, and leave others too near to what a few items happen to say.
    """
    judges = given.rows.shape[1] // 3
    if judges == 1 and given.items < LEAST_COMMON:
        fits = [fit(given.rows, given.target, given.weight, prior=np.eye(3))]
    else:
        alike = _ALIKE if judges > 1 else _ALIKE[:1]
        fits = [
            fit(given.rows, given.target, given.weight, prior=_prior(judges, std, c)) for std in STDS for c in alike
        ]
    share = shares([each.evidence for each in fits])
    return np.asarray(share @ np.array([each.weights for each in fits])).reshape(judges, 3)


def _prior(judges: int, std: float, alike: float) -> Floats:
    """Returns the covariance of the weights: verdicts vary by ``std``, correlated; the rest by 1."""
    found = np.eye(3 * judges)
    found[::3, ::3] = std**2 * ((1 - alike) * np.eye(judges) + alike)
    return found


def log_odds(table: Floats, records: list[Audited], correlation: float, factor: Floats) -> Floats:
    """Returns the pooled log-odds of every pair; the weights are fitted once for each pattern of who said what.

    Args:
        table: (pairs x judges x ANSWERS), mapped. factor: what is left of each judge's, below 1 where it was audited on
            other pairs than these.
    """
    logits = np.zeros(len(table))
    if not len(table):
        return logits
    heard = ~np.isnan(table)
    for judge, record in enumerate(records):
        # What the audit never saw cannot be weighed.
        heard[:, judge, 3] &= bool(np.isfinite(record.said[:, 3]).any())
    # packed to bytes first: sorting rows of bits one by one takes ten times as long
    packed = np.packbits(heard.reshape(len(table), -1), axis=1)
    _, rows_of, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    for index, pattern in enumerate(heard[rows_of]):
        present = np.flatnonzero(pattern[:, :3].any(axis=1))
        rows = np.flatnonzero(which == index)
        if not len(present):
            continue
        found = weights([records[judge] for judge in present], pattern[present], correlation)
        if len(present) == 1 and records[present[0]].unit != VERDICT:
            found[0, 0] = max(found[0, 0], LEAST_WEIGHT)
        for weight, voter in zip(found, present, strict=True):
            own = features(table[rows, voter], pattern[voter]) @ weight
            logits[rows] += own if factor[voter] == 1 else factor[voter] * _MOST * np.tanh(own / _MOST)
    return logits
