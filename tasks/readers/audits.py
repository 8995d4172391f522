"""What audits recorded of judges, read from the audits table: answers on gold items, and how judges err together.

Source: Clemen and Winkler 1985, Operations Research 33 (n equally correlated sources are worth
n / (1 + (n - 1) * rho)); Kuncheva and Whitaker 2003, Machine Learning 51 (coincident errors of a panel).

An audit keeps ``evidence``: graded answers, people's ties as halves, and what its items are like. One of an earlier
edition keeps ``answers`` only, the signs of verdicts on items with a winner; it is read as just that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

Floats = npt.NDArray[np.float64]
ANSWERS = ("straight", "turned", "blind", "implied")
VERDICT = "verdict"
LEAST_COMMON = 30
"""Items that judges must have in common for anything joint to be learnt from them."""


class Audited(NamedTuple):
    """What an audit recorded: gold set and item, and (items x ANSWERS) what the judge said of the better one.

    Args:
        truth: how likely people call that one better: 1, or 1/2 where they are split; null means 1 throughout.
        unit: ``verdict`` (1, 0, -1), ``probability`` (2 p - 1) or ``margin`` (a difference of rewards).
        like: (items x features) what the items are like. longer: log of the better one's length over the other's.
        prompts: which items hang together. tasks: their tasks. old: the audit is of an edition that kept signs only.
    """

    items: list[tuple[str, str]]
    said: Floats
    truth: Floats | None = None
    unit: str = VERDICT
    like: Floats | None = None
    longer: Floats | None = None
    prompts: list[str] | None = None
    tasks: list[str | None] | None = None
    old: bool = False

    def targets(self) -> Floats:
        """Returns ``truth``, 1 throughout where it is not recorded."""
        return np.ones(len(self.items)) if self.truth is None else self.truth


def of_audits(audits: pl.DataFrame | None) -> dict[str | None, Audited]:
    """Returns fingerprint -> what its audits recorded: of one gold set the latest, of several all."""
    records: dict[str | None, Audited] = {}
    for fingerprint, gold, meta in latest(audits):
        record = audited(gold, meta)
        if record is None:
            continue
        before = records.get(fingerprint)
        records[fingerprint] = record if before is None else _joined(before, record)
    return records


def latest(audits: pl.DataFrame | None) -> list[tuple[str | None, str, Mapping[str, Any]]]:
    """Returns fingerprint, gold set and document of every judge's newest audit on every gold set."""
    if audits is None or not audits.height:
        return []
    rows = audits.sort("created_at") if "created_at" in audits.columns else audits
    rows = rows.unique(["fingerprint", "gold_hash"], keep="last", maintain_order=True).sort("fingerprint", "gold_hash")
    return [
        (fingerprint, gold, orjson.loads(meta or "{}"))
        for fingerprint, gold, meta in rows.select("fingerprint", "gold_hash", "meta").iter_rows()
    ]


def audited(gold: str, meta: Mapping[str, Any]) -> Audited | None:
    """Returns what one audit's document recorded, null where it has no pairs."""
    table = meta.get("evidence") or meta.get("answers") or {"item_id": []}
    if not table["item_id"]:
        return None
    said = np.array([table[name] for name in ANSWERS], dtype=float).T
    items = [(gold, item) for item in table["item_id"]]
    if "truth" not in table:
        return Audited(items, said, old=True)
    like = np.array(table["like"], dtype=float)
    return Audited(
        items, said, np.array(table["truth"], dtype=float), table["unit"], like.reshape(len(items), -1),
        np.array(table["longer"], dtype=float),
        [f"{gold}/{prompt}" for prompt in table["prompt"]], table["task"],
    )  # fmt: skip


def _joined(one: Audited, other: Audited) -> Audited:
    """Returns two audits of a judge as one; what only one of them kept is not kept, units that differ become signs."""
    units = {one.unit, other.unit}
    unit = one.unit if len(units) == 1 else VERDICT
    said = [each.said if len(units) == 1 else signs(each.said) for each in (one, other)]
    whole = one.like is not None and other.like is not None
    return Audited(
        one.items + other.items, np.concatenate(said), np.concatenate([one.targets(), other.targets()]), unit,
        np.concatenate([one.like, other.like]) if one.like is not None and other.like is not None else None,
        np.concatenate([one.longer, other.longer]) if one.longer is not None and other.longer is not None else None,
        (one.prompts or []) + (other.prompts or []) if whole else None,
        (one.tasks or []) + (other.tasks or []) if whole else None, one.old or other.old,
    )  # fmt: skip


def signs(said: Floats) -> Floats:
    """Returns the answers with the direct ones as signs; what other pairs imply stays."""
    return np.column_stack([np.sign(said[:, :3]), said[:, 3:]])


class Together(NamedTuple):
    """How judges err together on the items that all of them answered.

    Args:
        items: how many those are. wrong: share of items on which each names the worse one.
        correlation: (judges x judges) of these errors; NaN where a judge never or always errs.
        both: (judges x judges) share of items on which both err.
        effective: how many judges with independent errors they are worth.
    """

    items: int
    wrong: Floats
    correlation: Floats
    both: Floats
    effective: float


def together(records: Sequence[Audited]) -> Together | None:
    """Returns how the judges' errors coincide, null where they have too few items in common."""
    shared = sorted(set(records[0].items).intersection(*(record.items for record in records[1:]))) if records else []
    if len(shared) < LEAST_COMMON:
        return None
    errors = np.array([_wrong(record, shared) for record in records])
    kept = ~np.isnan(errors).any(axis=0)
    if kept.sum() < LEAST_COMMON:
        return None
    errors = errors[:, kept]
    both = errors @ errors.T / errors.shape[1]
    wrong = errors.mean(axis=1)
    spread = np.sqrt(wrong * (1 - wrong))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (both - np.outer(wrong, wrong)) / np.outer(spread, spread)
    return Together(int(kept.sum()), wrong, correlation, both, effective(correlation))


def _wrong(record: Audited, shared: Sequence[tuple[str, str]]) -> Floats:
    """Returns 1 where the judge names the worse one, 0 where it does not, NaN where it said nothing or people tie."""
    place = {item: index for index, item in enumerate(record.items)}
    rows = [place[item] for item in shared]
    said, truth = record.said[rows], record.targets()[rows]
    direct = said[:, :3]
    heard = ~np.isnan(direct)
    total = np.where(heard, np.sign(direct), 0.0).sum(axis=1)
    return np.where(heard.any(axis=1) & (truth != 0.5), (total < 0).astype(float), np.nan)


def effective(correlation: Floats) -> float:
    """Returns n / (1 + (n - 1) * rho) with the mean correlation of two judges' errors, between 1 and n.

    >>> effective(np.array([[1.0, 0.5], [0.5, 1.0]])).__round__(3)
    1.333
    """
    n = len(correlation)
    pairs = [correlation[one, other] for one, other in combinations(range(n), 2)]
    measured = [value for value in pairs if np.isfinite(value)]
    rho = float(np.clip(np.mean(measured), 0.0, 1.0)) if measured else 0.0
    return n / (1 + (n - 1) * rho)


def voices(fingerprints: Sequence[str | None], audits: pl.DataFrame | None) -> dict[str | None, float]:
    """Returns how much of a voice each judge has, of those whose common audit shows that they err together.

    A judge's voice is 1 over 1 plus its correlations (nought or more) with the others' errors: two that always err
    alike have one voice between them. Judges that cannot be compared are not named: they keep a whole voice.
    """
    records = {name: record for name, record in of_audits(audits).items() if name in set(fingerprints)}
    names = sorted(records, key=str)
    shared = {name: 1.0 for name in names}
    for one, other in combinations(names, 2):
        met = together([records[one], records[other]])
        if met is not None and np.isfinite(met.correlation[0, 1]):
            rho = max(float(met.correlation[0, 1]), 0.0)
            shared[one] += rho
            shared[other] += rho
    return {name: 1 / total for name, total in shared.items() if total > 1}
