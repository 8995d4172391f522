"""How a judge errs together with the others that were audited on the same gold set, and what they are worth as a panel.

Source: Clemen and Winkler 1985, Operations Research 33 (the worth of n correlated sources); Kuncheva and Whitaker 2003,
Machine Learning 51 (coincident errors).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tasks.readers.audits import audited, latest, of_audits
from tasks.readers.audits import together as measured


def together(document: dict[str, Any], fingerprint: str, gold_hash: str, audits: pl.DataFrame) -> dict[str, Any] | None:
    """Returns what the judge's errors have in common with those of every other judge; null where there is no other.

    ``effective`` is how many judges with independent errors all of them are worth. ``others``, one a judge:
    ``both_wrong``, the share of items on which both name the worse one, beside ``by_chance``, what it were if their
    errors were independent, and their ``correlation``.

    Args:
        document: of the audit at hand. audits: those of the lake; of the others, the newest on this gold set.
    """
    own = audited(gold_hash, document)
    found: list[tuple[str, Any]] = []
    for other, gold, meta in latest(audits):
        record = audited(gold, meta) if gold == gold_hash and other != fingerprint else None
        if own is not None and record is not None and measured([own, record]) is not None:
            found.append((str(meta.get("judge", "")), record))
    if own is None or not found:
        return None
    others = [(name, measured([own, record])) for name, record in found]
    whole = measured([own, *(record for _, record in found)])
    rows = [
        {
            "judge": name, "items": met.items, "both_wrong": float(met.both[0, 1]),
            "by_chance": float(met.wrong[0] * met.wrong[1]), "correlation": _number(float(met.correlation[0, 1])),
        }
        for name, met in others
        if met is not None
    ]  # fmt: skip
    effective = None if whole is None else whole.effective
    count = len(found) + 1
    says = f"with {count - 1} others audited on this set they are {count} judges" + (
        "" if effective is None else f", worth {effective:.1f} whose errors are independent"
    )
    return {"judges": count, "effective": effective, "others": rows, "says": says}


def worth(audits: pl.DataFrame) -> tuple[int, float] | None:
    """Returns how many audited judges there are and how many independent ones they are worth; null for fewer than two.

    Null, too, where they were not audited on common items.
    """
    records = list(of_audits(audits).values())
    met = measured(records) if len(records) > 1 else None
    return None if met is None else (len(records), met.effective)


def _number(value: float) -> float | None:
    return None if value != value else value
