"""The pages of ``pairwright browse``: versions, pairs by filter, and one pair with everything behind it.

Source: the pages of ``version_page``; forms that work without a script (HTML 4.01, section 17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import orjson

from tasks.reports._html import STYLE, table, value, wide
from tasks.reports._lineage_svg import lineage_drawing
from tasks.reports.version_page import pair_article

_MORE = """
form{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:1rem 0}label{display:grid;font-size:.85rem}
label,.note{color:var(--soft)}
input,button,select{font:inherit;padding:.3rem .5rem;color:var(--ink);background:var(--back);
border:1px solid var(--soft);border-radius:.3rem;min-width:0}
article h2{border:0;margin:0;padding:0}input[type=number]{width:7rem}
"""
FILTERS = (
    ("text", "search", "words in the texts"), ("least", "number", "margin from"), ("most", "number", "to"),
    ("split", "text", "split"), ("policy", "text", "policy"),
)  # fmt: skip
"""Name, kind and label of each filter of the pairs."""
ORDERS = {
    "widest": ("margin", True), "narrowest": ("margin", False), "strongest": ("strength", True),
    "weakest": ("strength", False),
}  # fmt: skip
"""Order of the pairs -> its column, and whether the highest come first."""


def page(title: str, body: str, *, home: bool = True) -> str:
    """Returns a whole page."""
    back = (
        '<nav aria-label="Lake"><a href="/">all versions</a> <a href="/judgments">judgments</a></nav>' if home else ""
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_MORE}</style></head>"
        f"<body><main>{back}<h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def versions_page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the list of versions, newest first, each with a link to its report and its pairs."""
    lines = []
    for row in rows:
        name = f"{row['dataset']}@{row['version']}"
        cells = (row["status"], ", ".join(row["tags"] or ()), f"{row['rows']:,} rows", str(row["created_at"])[:16])
        asked = urlencode({"of": name})
        links = f'<a href="/report?{asked}">report</a> · <a href="/pairs?{asked}">pairs</a>'
        links += f' · <a href="/trees?{asked}">trees</a>' if row.get("searched") else ""
        lines.append(
            f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{links}</td></tr>"
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("version", "status", "tags", "rows", "made", "open"))
    told = '<p>Search also all <a href="/judgments">judgments</a> of the lake.</p>'
    return page("Versions", wide(f"<tr>{head}</tr>{''.join(lines)}") + told, home=False)


def pairs_page(
    name: str, asked: Mapping[str, str], rows: Sequence[Mapping[str, Any]], total: int, start: int, size: int
) -> str:
    """Returns the pairs that a filter finds, a page at a time.

    Args:
        asked: the filters as they were given. total: pairs found. start, size: of this page.
    """
    fields = "".join(
        f'<label>{label}<input name="{field}" type="{kind}"{" step=any" if kind == "number" else ""} '
        f'value="{escape(asked.get(field, ""))}"></label>'
        for field, kind, label in FILTERS
    )
    orders = "".join(
        f'<option{" selected" if asked.get("order") == order else ""} value="{order}">{order} first</option>'
        for order in ORDERS
    )
    fields += f'<label>order<select name="order"><option value="">by id</option>{orders}</select></label>'
    form = (
        f'<form action="/pairs" role="search"><input type="hidden" name="of" value="{escape(name)}">{fields}'
        "<button>Find</button></form>"
    )
    shown = f"<p>{total:,} pairs" + (f", {start + 1:,} to {min(start + size, total):,}" if total else "") + ".</p>"
    kept = {key: text for key, text in asked.items() if text}
    steps = [
        f'<a href="/pairs?{urlencode({**kept, "of": name, "start": place})}">{word}</a>'
        for word, place in (("previous", start - size), ("next", start + size))
        if 0 <= place < total
    ]
    articles = "".join(
        pair_article(row)
        + f'<p><a href="/pair?{urlencode({"id": row["pair_id"]})}">everything behind {str(row["pair_id"])[:12]}</a></p>'
        for row in rows
    )
    return page(f"Pairs of {name}", f"{form}{shown}{articles}<p>{' · '.join(steps)}</p>")


def pair_page(pair: Mapping[str, Any], found: Mapping[str, Any], *, alone: bool = False) -> str:
    """Returns one pair with its completions, judgments, run and cost.

    Args:
        pair: its texts as text. found: what ``storage.lineage`` returns. alone: as a file that links nowhere.
    """
    judgments = [
        (str(row.get("judge")), " and ".join(row.get("about") or ()), str(row.get("outcome")), value(row.get("score")),
         str(row.get("winner") or ""), str(row.get("rationale") or row.get("raw") or "")[:2000])
        for row in found.get("judgments") or ()
    ]  # fmt: skip
    head = ("judge", "about", "outcome", "score", "winner", "said")
    told = ("policy", "finish_reason", "completion_tokens", "sampling")
    sides = [
        (side, *(str((found.get(side) or {}).get(name) or "–") for name in told)) for side in ("chosen", "rejected")
    ]
    facts = [
        ("cost", f"${found.get('cost') or 0:,.4f}"),
        ("versions", ", ".join(row["name"] for row in found.get("versions") or ())),
    ]
    tree = orjson.loads(pair.get("meta") or "{}").get("tree_id")
    asked = urlencode({"id": tree, "of": facts[1][1].rpartition(", ")[2]})
    parts = [
        pair_article(pair), f"<h2>Where it comes from</h2>{lineage_drawing(found)}",
        f'<p><a href="/tree?{asked}">the search tree it was taken from</a></p>' if tree and not alone else "",
        table((), facts), "<h2>Completions</h2>",
        table(("", "policy", "finished by", "tokens", "sampling"), sides), "<h2>Judgments</h2>", table(head, judgments),
    ]  # fmt: skip
    return page(f"Pair {str(pair['pair_id'])[:12]}", "".join(parts), home=not alone)
