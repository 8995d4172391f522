"""Preference rows and what a filter took out of them, for tests of curation."""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES

LOG = ("dataset", "run_id", "created_at")
SCHEMA = {name: dtype for name, dtype in PREFERENCES.empty().schema.items() if name not in LOG}


def pair(pair_id: str, chosen: str = "yes", rejected: str = "no", prompt: str = "?", **more: Any) -> dict[str, Any]:
    """Returns a row with these texts; its completions are ``c`` and ``r`` with the pair's id, its prompt ``p``."""
    return {
        "pair_id": pair_id, "prompt_id": f"p{pair_id}", "prompt": to_rows(prompt), "chosen": assistant(chosen),
        "rejected": assistant(rejected), "chosen_id": f"c{pair_id}", "rejected_id": f"r{pair_id}",
        "content_id": f"t{pair_id}", "recipe": "none", **more,
    }  # fmt: skip


def pairs(*rows: dict[str, Any]) -> pl.DataFrame:
    """Returns the rows as a preferences table without log columns."""
    return pl.DataFrame(list(rows), schema=SCHEMA)


def removed(found: pl.DataFrame) -> dict[str, str]:
    """Returns row id -> reason of what a filter took out."""
    return dict(found.select("row_id", "reason").iter_rows())
