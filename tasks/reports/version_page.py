"""The page of a dataset's version: one HTML file that needs nothing else, readable on a phone and without a script.

Source: Gebru et al. 2021, arXiv:1803.09010 (datasheets for datasets: what it is, where it came from, how it was made).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tasks.reports._differences import marked
from tasks.reports._html import STYLE, figure, rate, table, value, wide
from tasks.reports._plots import columns, rows
from tasks.reports._version_judges import judges_part
from tasks.reports.tree_page import LOOK

_PARTS = (
    ("made", "How it was made"), ("plots", "Plots"), ("measures", "Measures"), ("judges", "Judges"),
    ("searches", "Search trees"), ("gates", "Gates"),
    ("previous", "Against the version before"), ("read", "Rows to read"), ("recipe", "Recipe"),
)  # fmt: skip


LONG, LINES = 900, 14
"""Letters and lines from which on a text gets a box of its own."""


def version_page(found: Mapping[str, Any], *, searches: str = "") -> str:
    """Returns the description of a version as an HTML page.

    Args:
        found: what ``describe`` returns; parts that are missing are left out.
        searches: HTML of the trees behind it, empty where it was made without a search.
    """
    made = {
        "made": _made(found), "plots": _plots(found), "measures": _measures(found.get("measures") or ()),
        "judges": judges_part(found), "searches": searches, "gates": _gates(found.get("gates") or ()),
        "previous": _previous(found.get("previous")), "read": _examples(found.get("examples") or {}),
        "recipe": _recipe(found.get("resolved") or {}),
    }  # fmt: skip
    links = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name in _PARTS if made[key])
    body = "".join(
        f'<section id="{key}"><h2>{escape(name)}</h2>{made[key]}</section>' for key, name in _PARTS if made[key]
    )
    name = escape(str(found["version"]))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name}</title><style>{STYLE}{LOOK if searches else ''}</style></head><body><main>{_head(found)}"
        f'<nav aria-label="On this page">{links}</nav>{body}</main></body></html>\n'
    )


def _head(found: Mapping[str, Any]) -> str:
    resolved = found.get("resolved") or {}
    tags = "".join(f" · {escape(tag)}" for tag in found.get("tags") or ())
    lines = [f"<h1>{escape(str(found['version']))}</h1>"]
    state = str(found.get("status") or "")
    lines.append(
        f'<p class="note"><span class="{"bad" if state == "quarantined" else ""}">{escape(state)}</span>{tags}</p>'
    )
    if resolved.get("about"):
        lines.append(f"<p>{escape(resolved['about'])}</p>")
    figures = found.get("figures") or {}
    longer = (figures.get("length_choice") or {}).get("all") or {}
    tiles = [
        ("pairs", figures.get("pairs")), ("prompts", figures.get("prompts")),
        ("longer is chosen", None if longer.get("value") is None else f"{100 * longer['value']:.1f} %"),
        ("mean margin", ((figures.get("histograms") or {}).get("margin") or {}).get("mean")),
        ("cost", None if found.get("cost") is None else f"${found['cost']:,.2f}"),
        ("time", None if found.get("seconds") is None else f"{found['seconds']:,.0f} s"),
    ]  # fmt: skip
    shown = "".join(
        f"<div><dt>{name}</dt><dd>{value(number)}</dd></div>" for name, number in tiles if number is not None
    )
    return "".join([*lines, f'<dl class="tiles">{shown}</dl>'])


def _made(found: Mapping[str, Any]) -> str:
    resolved, calls = found.get("resolved") or {}, found.get("calls") or {}
    facts = [
        ("origin", found.get("origin")), ("recipe", found.get("recipe")),
        ("after", resolved.get("source")), ("run", found.get("run_id")),
        ("code", found.get("code_version")), ("made", found.get("created_at")), ("digest", found.get("digest")),
        ("file", found.get("file")), ("labels", found.get("labels")),
        ("models", ", ".join(sorted((found.get("settings") or {}).get("backends") or {}))),
        ("calls", f"{calls['asked']:,} asked, {calls['from_ledger']:,} from the ledger, {calls['failed']:,} failed"
                  if "asked" in calls else None),
    ]  # fmt: skip
    parts = [table((), [(name, str(fact)) for name, fact in facts if fact])]
    if found.get("funnel"):
        bars = [(step["name"], [(step.get("kind", "rows"), step["rows"])]) for step in found["funnel"]]
        parts.append(figure(rows(bars, title="Rows at each step, from prompts to pairs"), "From prompts to pairs."))
    defects = [
        (block, why, f"{n:,}") for block, whys in (found.get("defects") or {}).items() for why, n in whys.items()
    ]
    if defects:
        parts.append("<h3>What filters would take out</h3>" + table(("filter", "reason", "pairs"), defects, numbers=1))
    removed = [
        (block, why, f"{n:,}") for block, reasons in (found.get("removed") or {}).items() for why, n in reasons.items()
    ]
    if removed:
        parts.append("<h3>What was taken out</h3>" + table(("block", "reason", "rows"), removed, numbers=1))
    return "".join(parts)


def _plots(found: Mapping[str, Any]) -> str:
    figures = found.get("figures") or {}
    shown = []
    labels = {
        "margin": "margin",
        "strength": "strength",
        "p_chosen": "probability that the chosen is better",
        "weight": "weight",
    }
    for name, data in (figures.get("histograms") or {}).items():
        missing = f"; {data['missing']:,} pairs have none" if data["missing"] else ""
        about = f"{labels[name]}: mean {data['mean']:.3g}, median {data['median']:.3g}{missing}"
        shown.append(
            figure(
                columns(data, label=name, mark=0.0, title=f"Histogram of {about}"), about[0].upper() + about[1:] + "."
            )
        )
    if figures.get("length_choice"):
        shown += _lengths(figures["length_choice"])
    if found.get("policies"):
        bars = [(str(row["policy"] or "unknown"), [("chosen", row["chosen"]), ("rejected", row["rejected"])])
                for row in found["policies"][:12]]  # fmt: skip
        shown.append(figure(rows(bars, title="Answers of each policy, chosen and rejected"),
                             "Policies: chosen (blue) and rejected (red) answers."))  # fmt: skip
    for name, data in (figures.get("shares") or {}).items():
        if len(data) > 1:
            bars = [
                (str(row["value"] if row["value"] is not None else "none"), [("rows", row["pairs"])]) for row in data
            ]
            shown.append(figure(rows(bars, title=f"Pairs by {name}"), f"Pairs by {name}."))
    if any(amount for amount in (found.get("costs") or {}).values()):
        bars = [(name, [("rows", amount)]) for name, amount in found["costs"].items()]
        shown.append(figure(rows(bars, title="Cost in US dollars by who answered", unit="$"), "Cost in US dollars."))
    return f'<div class="plots">{"".join(shown)}</div>' if shown else ""


def _lengths(found: Mapping[str, Any]) -> list[str]:
    told = (
        f"The longer text is chosen in {rate(found['all'])}; where it is at least 1.5 times as long, in "
        f"{rate(found['ratio_1.5'])}."
    )
    plot = columns(found["log2_ratio"], label="log2 of chosen over rejected length", mark=0.0, title=told)
    bands = [
        (f"{band['from']:g} to {band['to']:g} times" if band["to"] else f"{band['from']:g} times and more", rate(band))
        for band in found["by_ratio"] if band["n"]
    ]  # fmt: skip
    return [
        figure(plot, told),
        figure(table(("the longer text is", "and is chosen in"), bands), "Length against choice."),
    ]


def _measures(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [
        (str(row["measure"]).replace("_", " "), str(row["of"]), value(row["value"]), f"{row['n']:,}") for row in rows
    ]
    return table(("measure", "of", "value", "over"), body, numbers=2) if body else ""


def _gates(checks: Sequence[Mapping[str, Any]]) -> str:
    if not checks:
        return ""
    failed = sum(not check["success"] for check in checks)
    body = []
    for check in sorted(checks, key=lambda check: bool(check["success"])):
        word = "ok" if check["success"] else {"block": "blocks", "warn": "warns"}[check["severity"]]
        name = ".".join(filter(None, (check.get("gate"), check["name"])))
        body.append(
            f'<tr><td class="{"ok" if check["success"] else "bad"}">{word}</td>'
            f'<td>{escape(name)}<br><span class="note">{escape(check["says"])}</span></td>'
            f'<td class=n>{check["observed"]:.4g}<br><span class="note">{escape(check["allowed"])}</span></td></tr>'
        )
    head = '<tr><th scope="col">result</th><th scope="col">check</th><th scope="col" class=n>found</th></tr>'
    return f"<p>{len(checks) - failed} of {len(checks)} checks passed.</p>{wide(head + ''.join(body))}"


def _previous(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    told = (
        f"<p>{escape(found['a'])} had {found['rows']['a']:,} rows, {escape(found['b'])} has {found['rows']['b']:,}: "
        f"{found['added']:,} added, {found['removed']:,} removed, {found['changed']:,} changed.</p>"
    )
    numbers = [
        (str(row["measure"]), *(value(row[side]) for side in ("a", "b", "added", "removed")))
        for row in found["statistics"]
    ]
    return told + table(("", "before", "now", "added", "removed"), numbers, numbers=4)


def _examples(groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    parts, seen = [], False
    for name, shown in groups.items():
        if not shown:
            continue
        parts.append(f"<h3>{escape(name.capitalize())}</h3>")
        parts += [pair_article(row) if "chosen" in row else row_article(row) for row in shown]
        seen |= "chosen" in shown[0]
    if seen:
        told = "Words that only the chosen has are <ins>green</ins>, those of the rejected alone <del>red</del>."
        parts.insert(0, f'<p class="note">{told}</p>')
    return "".join(parts)


def row_article(row: Mapping[str, Any]) -> str:
    """Returns a row that is no pair: its prompt, and each text with its name and numbers."""
    texts = "".join(
        f"<div>{spoken(' · '.join(filter(None, (part['name'], part['facts']))), escape(part['text']))}</div>"
        for part in row["texts"]
    )
    return (
        f'<article>{spoken("prompt", escape(str(row["prompt"])))}<div class="sides">{texts}</div>'
        f'<p class="note">{escape(str(row["row_id"])[:12])}</p></article>'
    )


def pair_article(pair: Mapping[str, Any]) -> str:
    """Returns one pair: the prompt, and both answers side by side with what differs marked."""
    chosen, rejected = marked(str(pair["chosen"]), str(pair["rejected"]))
    facts = [f"{name} {value(pair[name])}" for name in ("margin", "strength", "p_chosen") if pair.get(name) is not None]
    policies = [str(pair[f"{side}_policy"]) for side in ("chosen", "rejected") if pair.get(f"{side}_policy")]
    told = " · ".join([str(pair["pair_id"])[:12], *facts, *filter(None, [" over ".join(dict.fromkeys(policies))])])
    texts = "".join(f"<div>{spoken(side, text)}</div>" for side, text in (("chosen", chosen), ("rejected", rejected)))
    prompt = spoken("prompt", escape(str(pair["prompt"])))
    return f'<article>{prompt}<div class="sides">{texts}</div><p class="note">{escape(told)}</p></article>'


def spoken(name: str, text: str) -> str:
    """Returns a text under its name; one that is long scrolls in a box of its own, which keys can reach."""
    long = len(text) > LONG or text.count("\n") > LINES
    more = f' tabindex="0" role="group" aria-label="{escape(name)}"' if long else ""
    return f'<p class="name">{escape(name)}</p><div class="text{" long" if long else ""}"{more}>{text}</div>'


def _recipe(resolved: Mapping[str, Any]) -> str:
    return f'<pre tabindex="0">{escape(resolved["yaml"].strip())}</pre>' if resolved.get("yaml") else ""
