"""The judgments that ``pairwright browse`` shows: found by filter, with the texts they are about."""

from __future__ import annotations

from typing import Any

import polars as pl

from flows.describe import said
from storage.store import Store
from tasks.reports.judgments_page import CHOICES, judgments_page

SIZE = 20
"""Judgments a page."""


def listed(store: Store, asked: dict[str, str]) -> str:
    """Returns the page of the judgments that the filters find."""
    every = store.read("judgments")
    choices = {
        name: every.select(pl.col(name).unique().sort()).collect(engine="streaming")[name].to_list() for name in CHOICES
    }
    wanted = every.filter(_condition(asked)).sort("judgment_id")
    total = wanted.select(pl.len()).collect(engine="streaming").item()
    start = max(0, int(asked.get("start") or 0))
    rows = wanted.slice(start, SIZE).collect(engine="streaming").to_dicts()
    shown = {name: asked.get(name, "") for name in ("text", *CHOICES)}
    return judgments_page(shown, choices, _with_texts(store, rows), total, start, SIZE)


def _condition(asked: dict[str, str]) -> pl.Expr:
    found = pl.lit(True)
    for name in CHOICES:
        if asked.get(name):
            found &= pl.col(name) == asked[name]
    text = pl.concat_str(pl.col("rationale", "raw"), separator=" ", ignore_nulls=True).str.to_lowercase()
    for word in asked.get("text", "").lower().split():
        found &= text.str.contains(word, literal=True)
    return found


def _with_texts(store: Store, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = _texts(store, "prompts", "prompt_id", {row["prompt_id"] for row in rows})
    answers = _texts(store, "completions", "completion_id", {name for row in rows for name in row["subjects"]})
    return [
        row | {"prompt": asked.get(row["prompt_id"], "(not in the lake)"),
               "answers": [answers.get(name, "(not in the lake)") for name in row["subjects"]]}
        for row in rows
    ]  # fmt: skip


def _texts(store: Store, table: str, key: str, ids: set[str]) -> dict[str, str]:
    found = store.read(table, columns=[key, "messages"]).filter(pl.col(key).is_in(sorted(ids))).collect()
    return {name: said(messages) for name, messages in found.select(key, "messages").iter_rows()}
