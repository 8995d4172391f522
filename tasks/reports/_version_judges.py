"""The part of a version's page about its judges: what they said, whether they agree, and what they lean to.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.3 (position and verbosity bias).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.reports._html import figure, rate, table
from tasks.reports._plots import dots, rows

_SHARES = (
    ("label", "Voices for the chosen answer, by judge: how far each agrees with the labels."),
    ("longer", "Voices for the longer answer, by judge; half is no preference."),
    ("first", "Verdicts that name the answer shown first, by judge; half is no preference."),
)  # fmt: skip


def judges_part(found: Mapping[str, Any]) -> str:
    """Returns outcomes, agreement and leanings of the judges as HTML; empty where nobody judged."""
    parts = []
    outcomes = [
        (judge, name, f"{n:,}") for judge, counts in (found.get("outcomes") or {}).items() for name, n in counts.items()
    ]
    if outcomes:
        parts.append("<h3>What they said</h3>" + table(("judge", "outcome", "judgments"), outcomes, numbers=1))
    shown = []
    if found.get("comparisons"):
        bars = [(judge, list(counts.items())) for judge, counts in found["comparisons"].items()]
        said = "; ".join(
            f"{j}: " + ", ".join(f"{n:,} {k}" for k, n in c.items()) for j, c in found["comparisons"].items()
        )
        shown.append(figure(rows(bars, title=f"Comparisons by judge: {said}"), f"Both orders together. {said}."))
    panel = found.get("panel") or {}
    judges: Mapping[str, Any] = panel.get("judges") or {}
    for key, told in _SHARES:
        counted = [(name, shares[key]) for name, shares in judges.items() if shares[key]["n"]]
        if counted:
            said = "; ".join(f"{name} {rate(share)}" for name, share in counted)
            shown.append(figure(dots(counted, mark=0.5, title=f"{told} {said}"), told))
    if shown:
        parts.append(f'<h3>Agreement and leanings</h3><div class="plots">{"".join(shown)}</div>')
    if panel.get("agreement"):
        parts.append(
            "<h3>With each other</h3>"
            + table(("judges", "same side"), [(f"{r['one']} and {r['other']}", rate(r)) for r in panel["agreement"]])
        )
    if found.get("audits"):
        parts.append(_audits(found["audits"]))
    return "".join(parts)


def _audits(rows_: Sequence[Mapping[str, Any]]) -> str:
    def percent(number: float | None) -> str:
        return "–" if number is None else f"{100 * number:.1f} %"

    names = ("accuracy", "kappa", "order_agreement", "position_bias", "length_bias")
    body = [
        (str(row["judge"]), str(row["gold"]), f"{row['items']:,}", *(percent(row[name]) for name in names))
        for row in rows_
    ]
    head = ("judge", "gold set", "items", "agrees", "kappa", "both orders", "for the first", "for the longer")
    worth = rows_[0].get("worth")
    many = len({row["judge"] for row in rows_})
    errors = (
        "" if worth is None else f"<p>By their common errors {many} judges are worth {worth:.1f} independent ones.</p>"
    )
    return "<h3>Audited on gold labels</h3>" + errors + table(head, body, numbers=6)
