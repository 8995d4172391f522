"""The page of an audit: one HTML file that needs nothing else, readable on a phone.

Source: Mitchell et al. 2019, arXiv:1810.03993 (model cards: measured numbers by slice, with intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from tasks.reports._agreement import SLICES
from tasks.reports._statistics import Calibration, Rate
from tasks.reports._strength import Kept, gain
from tasks.reports._svg import bars, curve, falling

STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#667;--line:#cdd3de;--back:#fff;--dot:#2458b8;--warn:#9a3412}
@media(prefers-color-scheme:dark){
:root{--ink:#e6e9f0;--soft:#99a;--line:#3a4152;--back:#14171f;--dot:#7aa7ff;--warn:#ffb38a}}
body{margin:0 auto;padding:1rem;max-width:44rem;font:16px/1.5 system-ui,sans-serif}
body{color:var(--ink);background:var(--back)}
h1{font-size:1.35rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:1.8rem 0 .4rem}p,li{margin:.3rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .4rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td+td,th+th{text-align:right}td:first-child{min-width:6.5rem}.wide{overflow-x:auto}.note{color:var(--soft);font-size:.85rem}
.warn{color:var(--warn)}svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--ink)}
svg .small{font-size:9.5px;fill:var(--soft)}.grid,.frame{stroke:var(--line);fill:none}
.mark{stroke:var(--soft);stroke-dasharray:3 3}.span{stroke:var(--dot);stroke-width:2;opacity:.6}
.dot{fill:var(--dot)}.line{fill:none;stroke:var(--dot);stroke-width:1.5}
"""


def audit_page(document: dict[str, Any], *, gold: str, made: str = "") -> str:
    """Returns the audit as an HTML page.

    Args:
        document: what ``audit`` returns.
        gold: name of the gold set. made: when and by what, as it should stand under the title.
    """
    judge = escape(document["judge"] or "judge")
    outcomes = ", ".join(f"{escape(name)} {count}" for name, count in document["outcomes"].items())
    parts = [
        f"<h1>{judge} on {escape(gold)}</h1>",
        f'<p class="note">{document["items"]} items, {document["verdicts"]} verdicts ({outcomes}). {escape(made)}</p>',
        _findings(document["findings"]), _agreement(document), _steps(document), _position(document), _length(document),
        _policies(document), _calibration(document["calibration"]), _strongest(document["strongest"]),
        _together(document.get("together")), _groups(document), _slices(document["slices"]),
        '<p class="note">Intervals are 95 %: Wilson for shares, resampled items for kappa and calibration error. A '
        "failed answer agrees with nothing; a contradicted comparison is read as a tie.</p>",
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Audit of {judge}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _findings(found: Sequence[dict[str, str]]) -> str:
    if not found:
        return "<p>No bias was proven.</p>"
    lines = "".join(f"<li><b>{escape(item['bias'])}</b>: {escape(item['says'])}</li>" for item in found)
    return f'<ul class="warn">{lines}</ul>'


def _agreement(document: dict[str, Any]) -> str:
    kinds = (
        ("each verdict with gold", "verdict"), ("both orders together", "combined"), ("with single votes", "votes"),
        ("people with each other", "ceiling"),
    )  # fmt: skip
    shown = [(name, document[key]) for name, key in kinds if document[key]["all"].n]
    if not shown:
        return "<h2>Agreement</h2><p>The gold set has no labels.</p>"
    rows = [(name, str(rates["all"]), str(rates["decided"]), _plain(rates["kappa"])) for name, rates in shown]
    plot = bars([(name, rates["all"]) for name, rates in shown])
    return f"<h2>Agreement</h2>{plot}{_table(('', 'all', 'where both name a winner', 'kappa'), rows)}"


def _steps(document: dict[str, Any]) -> str:
    found, graded = document["steps"], document["explanations"]
    rates = [("explanation graded right", graded)] if graded.n else []
    if not found:
        return f"<h2>Explanations</h2>{_table(('', ''), [(name, str(rate)) for name, rate in rates])}" if rates else ""
    named = (
        ("wrong solutions: the step named", "erroneous"), ("… at most one step away", "within_one"),
        ("right solutions: none named", "error_free"), ("harmonic mean (F1)", "f1"),
    )  # fmt: skip
    rates = [(name, found[key]) for name, key in named if found[key].n] + rates
    kinds = [(kind, str(count)) for kind, count in found["kinds"].items()]
    parts = [(task, str(of["erroneous"]), str(of["error_free"]), str(of["f1"])) for task, of in found["tasks"].items()]
    by_task = _table(("task", "wrong solutions", "right solutions", "F1"), parts) if len(parts) > 1 else ""
    table = _table(("", ""), [(name, str(rate)) for name, rate in rates])
    return f"<h2>First wrong step</h2>{bars(rates)}{table}{_table(('verdict', 'n'), kinds)}{by_task}"


def _position(document: dict[str, Any]) -> str:
    order, position = document["order"], document["position"]
    if not order["agreement"].n and not position["first_shown"].n and not order["contradicted"].n:
        return ""
    rows = [("same in both orders", order["agreement"]), ("… of those read", order["agreement_read"]),
            ("contradicted", order["contradicted"]),
            ("first shown wins", position["first_shown"])]  # fmt: skip
    why = f'<p class="note">{escape(position["reason"])}</p>' if position["reason"] else ""
    return f"<h2>Order</h2>{bars(rows, mark=0.5)}{_table(('', ''), [(name, str(rate)) for name, rate in rows])}{why}"


def _length(document: dict[str, Any]) -> str:
    found = document["length"]
    if not found["longer_won"].n:
        return ""
    rows = [("longer wins, judge", found["longer_won"]), ("… 1.5 times", found["longer_won_1.5"]),
            ("longer wins, gold", found["gold_longer_won"])]  # fmt: skip
    numbers = [(name, str(rate)) for name, rate in rows] + [("bias towards the longer", str(found["bias"]))]
    return f"<h2>Length</h2>{bars(rows, mark=0.5)}{_table(('', ''), numbers)}"


def _policies(document: dict[str, Any]) -> str:
    policies = document["policies"]
    if not policies:
        return ""
    shown = [(_named(name, document["self"]), found["beyond_gold"]) for name, found in policies.items()]
    plot = bars(shown, low=-0.3, high=0.3, mark=0.0)
    rows = [
        (
            _named(name, document["self"]),
            _share(found["win_rate"]),
            _share(found["gold_win_rate"]),
            str(found["comparisons"]),
        )
        for name, found in policies.items()
    ]
    head = ("policy", "wins, judge", "wins, gold", "n")
    note = '<p class="note">Points by which the judge favours a model beyond the gold labels.</p>'
    return f"<h2>Models</h2>{note}{plot}{_table(head, rows)}"


def _named(policy: str, own: str | None) -> str:
    return f"{policy} (itself)" if policy == own else policy


def _calibration(found: Calibration) -> str:
    if not found.curve:
        return ""
    corrected = "" if found.corrected is None else f"; {100 * found.corrected:.1f} points with sampling noise taken out"
    return (
        f"<h2>Calibration</h2>{curve(found.curve, low=_floor(found))}"
        f"<p>Expected calibration error {found.error}{corrected}; Brier score {found.brier:.3f}.</p>"
    )


def _floor(found: Calibration) -> float:
    """Returns where the plot begins: one half, or nought where a point lies below."""
    return _least([value for point in found.curve for value in (point.claimed, point.found.value)])


def _least(values: Sequence[float | None]) -> float:
    return 0.5 if min(value for value in values if value is not None) >= 0.5 else 0.0


def _strongest(found: Sequence[Kept]) -> str:
    more = gain(tuple(found))
    if more is None or len({round(point.agreed.value or 0.0, 9) for point in found}) < 2:
        return ""
    plot = falling(found, low=_least([point.agreed.value for point in found]))
    return (
        f"<h2>Strength</h2>{plot}<p>Of the strongest half of the pairs {100 * abs(more):.1f} points "
        f"{'more' if more >= 0 else 'fewer'} agree with the gold labels than of all of them.</p>"
        '<p class="note">A pair is the stronger the more clearly its orders and repeats name one answer.</p>'
    )


def _together(found: dict[str, Any] | None) -> str:
    if not found:
        return ""
    rows = [
        (row["judge"], _share(row["both_wrong"]), _share(row["by_chance"]),
         "–" if row["correlation"] is None else f"{row['correlation']:.2f}", str(row["items"]))
        for row in found["others"]
    ]  # fmt: skip
    head = ("judge", "both wrong, %", "if by chance, %", "correlation", "n")
    says = found["says"]
    return f"<h2>Errors in common</h2><p>{escape(says[0].upper() + says[1:])}.</p>{_table(head, rows)}"


def _groups(document: dict[str, Any]) -> str:
    rows = [
        (name, str(document[key]["accuracy"]))
        for name, key in (("one right among many", "one_of_many"), ("contrasts", "contrast"))
        if document[key]["groups"]
    ]
    return f"<h2>Groups all right</h2>{_table(('', ''), rows)}" if rows else ""


def _slices(found: dict[str, dict[str, Any]]) -> str:
    parts = []
    for name in (name for name in SLICES if name in found):
        plot = bars([(value, rates["all"]) for value, rates in found[name].items()])
        rows = [(value, str(r["all"]), _plain(r["kappa"]), str(r["order"])) for value, r in found[name].items()]
        parts.append(f"<h2>By {name}</h2>{plot}{_table((name, 'agreement', 'kappa', 'same in both orders'), rows)}")
    return "".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head) if any(head) else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _plain(rate: Rate) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return "–"
    return f"{rate.value:.3f} ({rate.low:.3f}-{rate.high:.3f})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
