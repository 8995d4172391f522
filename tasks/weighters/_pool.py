"""Logistic pooling: how much each judge's answers weigh together, fitted on items that all of them were audited on.

Source: Winkler 1981, Management Science 27 (the consensus of correlated sources is linear in them, with weights from
the inverse of their covariance); Efron 1975, JASA 70 (logistic regression fits those weights without assuming the
covariance); Clemen and Winkler 1985, Operations Research 33 (n equally correlated sources are worth
n / (1 + (n - 1) * rho)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

Floats = npt.NDArray[np.float64]
ANSWERS = ("straight", "turned", "blind", "implied")
LEAST_COMMON = 30
"""Items that judges must have in common for their joint weights to be fitted on them."""

_PRIOR_STD, _STEPS = 1.0, 50


class Audited(NamedTuple):
    """What an audit recorded: gold set and item, and (items x ANSWERS) what the judge said of the better one."""

    items: list[tuple[str, str]]
    said: Floats


def of_audits(audits: pl.DataFrame | None) -> dict[str | None, Audited]:
    """Returns fingerprint -> what its audits recorded: of one gold set the latest, of several all."""
    if audits is None or not audits.height:
        return {}
    latest = audits.sort("created_at") if "created_at" in audits.columns else audits
    latest = latest.unique(["fingerprint", "gold_hash"], keep="last", maintain_order=True).sort(
        "fingerprint", "gold_hash"
    )
    found: dict[str | None, Audited] = {}
    for fingerprint, gold, meta in latest.select("fingerprint", "gold_hash", "meta").iter_rows():
        table = orjson.loads(meta or "{}").get("answers") or {"item_id": []}
        if not table["item_id"]:
            continue
        said = np.array([table[name] for name in ANSWERS], dtype=float).T
        items = [(gold, item) for item in table["item_id"]]
        before = found.get(fingerprint, Audited([], np.empty((0, len(ANSWERS)))))
        found[fingerprint] = Audited(before.items + items, np.concatenate([before.said, said]))
    return found


def assumed(accuracy: float, items: int = 20) -> Audited:
    """Returns the record of a judge nobody audited, as if it had been right so often on so many pairs."""
    right = round(accuracy * items)
    said = np.full((items, len(ANSWERS)), np.nan)
    said[:, 2] = np.where(np.arange(items) < right, 1.0, -1.0)
    return Audited([("assumed", str(item)) for item in range(items)], said)


def features(said: Floats, like: npt.NDArray[np.bool_]) -> Floats:
    """Returns (rows x 3) a judge's answers as they are pooled: mean verdict, place, what others imply.

    Args:
        said: (rows x ANSWERS), NaN where the judge did not say.
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

    Fitted together where the judges share enough audited items. Else each alone, and divided by 1 + (n - 1) * rho.
    """
    together = _common(records, likes)
    if len(records) == 1 or together.items >= LEAST_COMMON:
        return _fitted(together).reshape(len(records), 3)
    alone = [_fitted(_common([record], like[None])) for record, like in zip(records, likes, strict=True)]
    return np.array(alone) / (1 + (len(records) - 1) * correlation)


class Examples(NamedTuple):
    """Audited items seen from the better one: features (rows x 3 * judges), the rows' weights, how many items."""

    rows: Floats
    weight: Floats
    items: int


def _common(records: list[Audited], likes: npt.NDArray[np.bool_]) -> Examples:
    """Returns the items that all judges answered as the pairs at hand were judged.

    Where those were shown in one order, an item stands there once with the better one shown first and once second, as
    far as it was judged so. Both halves weigh the same, or where the better stood first more often in the gold set
    would look like a love of that place; where one half is missing the place is not used.
    """
    shared = sorted(set(records[0].items).intersection(*(record.items for record in records[1:])))
    halves = []
    for turn in (False, True):
        parts = []
        for record, like in zip(records, likes, strict=True):
            place = {item: index for index, item in enumerate(record.items)}
            said = record.said[[place[item] for item in shared]]
            kinds = like.copy()
            if turn and like[0] != like[1]:
                kinds[:2] = ~like[:2]
            parts.append(features(said, kinds))
        halves.append(np.concatenate(parts, axis=1))
    known = [~np.isnan(half).any(axis=1) for half in halves]
    items = int((known[0] | known[1]).sum())
    rows = [half[there] for half, there in zip(halves, known, strict=True)]
    if not len(rows[0]) or not len(rows[1]):
        whole = np.concatenate(rows)
        whole[:, 1::3] = 0.0
        return Examples(whole, np.ones(len(whole)), items)
    weight = [np.full(len(half), items / (2 * len(half))) for half in rows]
    return Examples(np.concatenate(rows), np.concatenate(weight), items)


def _fitted(given: Examples) -> Floats:
    """Returns the logistic weights under which the better one is better.

    Only the better one's view is there, and no constant: seen from the worse one every feature is negated, so that
    swapping a pair gives 1 - P.
    """
    found = np.zeros(given.rows.shape[1])
    for _ in range(_STEPS):
        chance = 0.5 * (1 + np.tanh(given.rows @ found / 2))
        gradient = given.rows.T @ (given.weight * (1 - chance)) - found / _PRIOR_STD**2
        curve = given.weight * chance * (1 - chance)
        hessian = (given.rows * curve[:, None]).T @ given.rows + np.eye(len(found)) / _PRIOR_STD**2
        step = np.linalg.solve(hessian, gradient)
        found = found + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return found
