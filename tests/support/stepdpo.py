"""Whole step pairs of the preferences table."""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.select import LOG

TYPES = {name: kind for name, kind in PREFERENCES.empty().schema.items() if name not in LOG}


def pair(name: str, prefix: str | None, chosen: str, rejected: str, **more: Any) -> dict[str, Any]:
    """Returns a pair of two steps after the same beginning."""
    return {
        "pair_id": name, "prompt_id": "p", "prompt": to_rows("3 * 4 + 1?"), "chosen": assistant(chosen),
        "rejected": assistant(rejected), "chosen_id": f"c{name}", "rejected_id": f"r{name}", "content_id": f"t{name}",
        "recipe": "step-dpo", "prefix": prefix, "level": "step", "margin": 0.5, **more,
    }  # fmt: skip


def pairs() -> pl.DataFrame:
    """Returns three pairs: with a heading that both share, without one, and from the very beginning."""
    return pl.DataFrame(
        [
            pair("1", "Step 1: 3 * 4 = 12\n", "Step 2: 12 + 1 = 13\n", "Step 2: 12 + 1 = 14\n"),
            pair("2", "Step 1: 3 * 4 = 12\n", "Answer: 13", "Step 2: 12 + 1 = 14\n", p_chosen=0.75),
            pair("3", None, "Step 1: 3 * 4 = 12\n", "Step 1: 4 + 1 = 5\n"),
        ],
        schema=TYPES,
    )
