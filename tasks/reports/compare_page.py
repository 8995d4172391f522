"""The page of a comparison: one HTML file that needs nothing else, readable on a phone and without a script.

Source: Cleveland and McGill 1984 (position on a common scale); Bertin 1967 (a matrix is read by its shades).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tasks.reports._html import STYLE, figure, table, value
from tasks.reports._plots import columns, rows
from tasks.reports._statistics import Rate
from tasks.reports._svg import bars
from tasks.reports.version_page import pair_article

_MORE = """
.dot{fill:var(--bar)}.span{stroke:var(--bar);stroke-width:2}
.matrix{font-size:.8rem;min-width:0}.matrix td,.matrix th{padding:.3rem .35rem;text-align:center;
border:1px solid var(--back);white-space:nowrap}
.matrix th{font-weight:400;border:0}.matrix th[scope=row]{text-align:left;white-space:nowrap;position:sticky;left:0;
background:var(--back);max-width:9.5rem;overflow:hidden;text-overflow:ellipsis;z-index:1}
.first td:first-child,.first th:first-child{position:sticky;left:0;background:var(--back);min-width:7rem}
.first td+td,.first th{white-space:nowrap}
"""
NOTHING = "–"
_PARTS = (
    ("numbers", "The numbers"), ("overlap", "Which pairs they share"), ("plots", "Plots"),
    ("margins", "Margins"), ("turned", "Pairs turned round"),
)  # fmt: skip


def compare_page(found: Mapping[str, Any]) -> str:
    """Returns a comparison as an HTML page.

    Args:
        found: what ``flows.compare.compare`` returns.
    """
    recipes = found["recipes"]
    made = {
        "numbers": _numbers(recipes, found.get("people")), "overlap": _matrix(recipes, found["overlaps"]),
        "plots": _plots(recipes), "margins": _margins(recipes), "turned": _turned(found["opposed"]),
    }  # fmt: skip
    links = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name in _PARTS if made[key])
    body = "".join(
        f'<section id="{key}"><h2>{escape(name)}</h2>{made[key]}</section>' for key, name in _PARTS if made[key]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{len(recipes)} recipes compared</title><style>{STYLE}{_MORE}</style></head><body><main>"
        f'{_head(recipes)}<nav aria-label="On this page">{links}</nav>{body}</main></body></html>\n'
    )


def _head(recipes: Sequence[Mapping[str, Any]]) -> str:
    names = ", ".join(escape(str(each["version"])) for each in recipes)
    return f"<h1>{len(recipes)} recipes compared</h1><p>Over the same stored answers: {names}.</p>"


def _numbers(recipes: Sequence[Mapping[str, Any]], people: str | None) -> str:
    shown: dict[str, list[str]] = {
        "recipe": [str(each["recipe"]) for each in recipes],
        "makes": [{"preferences": "pairs"}.get(each["made"], str(each["made"])) for each in recipes],
        "rows": [f"{each['rows']:,}" for each in recipes],
        "prompts": [f"{each['prompts']:,}" for each in recipes],
        "of prompts": [_percent(each["yield"]) for each in recipes],
        "taken out": [f"{each['removed']:,}" for each in recipes],
        "margin": [value(each["margin"]) for each in recipes],
        "strength": [value(each["strength"]) for each in recipes],
        "P(better)": [value(each["p_chosen"]) for each in recipes],
        "chosen": [_whole(each["chosen_chars"]) for each in recipes],
        "rejected": [_whole(each["rejected_chars"]) for each in recipes],
        "longer": [_percent(each["longer"]["value"]) for each in recipes],
        "people agree": [_percent(each["people"]["value"]) for each in recipes],
        "asked": [value(each["asked"]) for each in recipes],
        "cost": [_dollars(each["cost"]) for each in recipes],
        "behind": [_dollars(each["cost_behind"]) for each in recipes],
    }
    shown = {name: cells for name, cells in shown.items() if set(cells) - {NOTHING, "$0"}}
    told = {
        "of prompts": "share with at least one row", "taken out": "rows, by filters",
        "P(better)": "mean probability that the chosen is better", "chosen": "mean characters, as rejected",
        "longer": "how often the longer text is chosen",
        "people agree": f"pairs that are the way round people decided, by {people}",
        "asked": "calls that were new with this recipe", "cost": "of those calls",
        "behind": "dollars of all answers and verdicts that its rows stand on, whoever bought them",
    }  # fmt: skip
    notes = "; ".join(f"{name}: {what}" for name, what in told.items() if name in shown)
    made = table(list(shown), zip(*shown.values(), strict=True), numbers=len(shown) - 2)
    wide = '<div class="wide" tabindex="0" role="region" aria-label="The numbers">'
    return made.replace('<div class="wide">', wide).replace("<table>", '<table class="first">') + (
        f'<p class="note">{escape(notes[:1].upper() + notes[1:])}.</p>'
    )


def _matrix(recipes: Sequence[Mapping[str, Any]], overlaps: Sequence[Mapping[str, Any]]) -> str:
    names = [str(each["recipe"]) for each in recipes if each["pairs"]]
    if len(names) < 2:
        return ""
    shares = {frozenset((each["a"], each["b"])): each for each in overlaps}
    head = "".join(f'<th scope="col" title="{escape(name)}">{place}</th>' for place, name in enumerate(names, start=1))
    lines = []
    for place, name in enumerate(names, start=1):
        cells = "".join(_cell(name, other, shares.get(frozenset((name, other)))) for other in names)
        lines.append(f'<tr><th scope="row" title="{escape(name)}">{place} {escape(name)}</th>{cells}</tr>')
    told = (
        "Jaccard's share of pairs in percent: equal prompt, chosen and rejected, over all pairs of both. A number "
        "after ⇄ counts pairs that the two hold the other way round."
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Share of pairs that two recipes have in common">'
        f'<table class="matrix"><tr><td></td>{head}</tr>{"".join(lines)}</table></div><p class="note">{told}</p>'
    )


def _cell(name: str, other: str, found: Mapping[str, Any] | None) -> str:
    if name == other:
        return "<td>·</td>"
    if found is None or found["jaccard"] is None:
        return "<td>–</td>"
    share = 100 * found["jaccard"]
    turned = f" ⇄{found['opposed']:,}" if found["opposed"] else ""
    text = "0" if not share else "<1" if share < 1 else f"{share:.0f}"
    title = escape(f"{name} and {other}: {found['shared']:,} pairs shared, {found['opposed']:,} turned round")
    shade = f"background:color-mix(in srgb,var(--bar) {min(45, 0.45 * share):.0f}%,transparent)"
    return f'<td style="{shade}" title="{title}">{escape(text)}{turned}</td>'


def _plots(recipes: Sequence[Mapping[str, Any]]) -> str:
    recipes = [{**each, "recipe": _brief(str(each["recipe"]))} for each in recipes]
    made = [(each["recipe"], [("rows", each["rows"])]) for each in recipes]
    shown = [figure(rows(made, title="Rows of each recipe"), "Rows of each recipe.")]
    if any(each["yield"] is not None for each in recipes):
        bought = [(each["recipe"], [("rows", round(100 * (each["yield"] or 0.0), 1))]) for each in recipes]
        shown.append(figure(rows(bought, title="Prompts with a row, in percent"), "Prompts with a row, in percent."))
    for name, caption, mark in (
        ("longer", "How often the longer text is chosen, in percent; half is no preference.", 0.5),
        ("people", "How often people preferred the chosen one, in percent; half is chance.", 0.5),
    ):
        points = [(each["recipe"], _rate(each[name])) for each in recipes]
        if any(point.value is not None for _, point in points):
            picture = bars(points, mark=mark).replace('role="img"', f'role="img" aria-label="{caption}"', 1)
            shown.append(figure(picture, caption))
    if any(each["pairs"] for each in recipes):
        sides = [
            (each["recipe"], [(side, round(each[f"{side}_chars"] or 0)) for side in ("chosen", "rejected")])
            for each in recipes if each["pairs"]
        ]  # fmt: skip
        told = "Mean characters of chosen (blue) and rejected (red) texts."
        shown.append(figure(rows(sides, title="Mean characters, chosen and rejected"), told))
    if any(each["cost_behind"] for each in recipes):
        spent = [(each["recipe"], [("rows", each["cost_behind"])]) for each in recipes]
        told = "Dollars behind the rows of each recipe; answers that several use are paid for once."
        shown.append(figure(rows(spent, title="Dollars behind the rows of each recipe", unit="$"), told))
    return f'<div class="plots">{"".join(shown)}</div>'


def _margins(recipes: Sequence[Mapping[str, Any]]) -> str:
    shown = []
    for each in recipes:
        data = each["histograms"].get("margin")
        if data:
            told = f"{each['recipe']}: mean {data['mean']:.3g}, median {data['median']:.3g}, {data['n']:,} pairs"
            shown.append(figure(columns(data, label="margin", mark=0.0, title=f"Margins of {told}"), f"{told}."))
    return f'<div class="plots">{"".join(shown)}</div>' if shown else ""


def _turned(pairs: Sequence[Mapping[str, Any]]) -> str:
    parts = [
        f"<h3>{escape(pair['a'])} has it like this, {escape(pair['b'])} the other way round</h3>{pair_article(pair)}"
        for pair in pairs
    ]
    return "".join(parts)


def _brief(name: str) -> str:
    return name if len(name) <= 19 else f"{name[:18]}…"


def _rate(found: Mapping[str, Any]) -> Rate:
    return Rate(found["value"], found["low"], found["high"], found["n"])


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"


def _whole(number: float | None) -> str:
    return NOTHING if number is None else f"{number:,.0f}"


def _dollars(amount: float | None) -> str:
    return NOTHING if amount is None else f"${amount:,.2f}" if amount else "$0"
