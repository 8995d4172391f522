"""The judgments of a lake as a page: by judge, outcome, kind and words, each with what was judged and what was said.

Source: the pages of ``browse_pages``; forms that work without a script (HTML 4.01, section 17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

from tasks.reports._html import value
from tasks.reports.browse_pages import page
from tasks.reports.version_page import spoken

CHOICES = ("judge", "outcome", "kind")
"""Filters that are chosen from what there is."""


def judgments_page(
    asked: Mapping[str, str], choices: Mapping[str, Sequence[str]], rows: Sequence[Mapping[str, Any]], total: int,
    start: int, size: int,
) -> str:  # fmt: skip
    """Returns the judgments that a filter finds, a page at a time.

    Args:
        asked: the filters as they were given. choices: filter -> the values there are. rows: of this page, each with
            ``prompt`` and ``answers`` as texts. total: judgments found. start, size: of this page.
    """
    typed = escape(asked.get("text", ""))
    words = f'<label>words in what was said<input name="text" type="search" value="{typed}"></label>'
    lists = "".join(_list(name, choices.get(name, ()), asked.get(name, "")) for name in CHOICES)
    form = f'<form action="/judgments" role="search">{words}{lists}<button>Find</button></form>'
    told = f"<p>{total:,} judgments" + (f", {start + 1:,} to {min(start + size, total):,}" if total else "") + ".</p>"
    kept = {name: text for name, text in asked.items() if text}
    steps = " · ".join(
        f'<a href="/judgments?{escape(urlencode({**kept, "start": place}))}">{word}</a>'
        for word, place in (("previous", start - size), ("next", start + size))
        if 0 <= place < total
    )
    articles = "".join(_article(row) for row in rows)
    return page("Judgments", f"{form}{told}{articles}<p>{steps}</p>")


def _list(name: str, values: Sequence[str], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(text)}"{" selected" if text == chosen else ""}>{escape(text)}</option>'
        for text in values
    )
    return f'<label>{name}<select name="{name}"><option value="">any</option>{options}</select></label>'


def _article(row: Mapping[str, Any]) -> str:
    facts = [row["judge"], row.get("criterion"), row["kind"], row["outcome"]]
    if row.get("score") is not None:
        facts.append(f"score {value(float(row['score']))}")
    if row.get("winner"):
        place = list(row["subjects"]).index(row["winner"]) if row["winner"] in row["subjects"] else None
        facts.append("a winner that was not shown" if place is None else f"answer {place + 1} wins")
    texts = "".join(
        f"<div>{spoken(f'answer {i}' if len(row['answers']) > 1 else 'answer', escape(text))}</div>"
        for i, text in enumerate(row["answers"], start=1)
    )
    said = row.get("rationale") or row.get("raw")
    return (
        f"<article><h2>{escape(' · '.join(str(fact) for fact in facts if fact))}</h2>"
        f'{spoken("prompt", escape(row["prompt"]))}<div class="sides">{texts}</div>'
        f"{spoken('said', escape(str(said))) if said else ''}"
        f'<p class="note">{escape(str(row["judgment_id"])[:12])}</p></article>'
    )
