"""Small preferences tables, for tests of the blocks that weigh, relabel, filter and export them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES

LOG = ("dataset", "run_id", "created_at")
SCHEMA = {name: dtype for name, dtype in PREFERENCES.empty().schema.items() if name not in LOG}


def pairs(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Returns preferences ``0``, ``1``, … of prompt ``p``, each text its id, but for what a row says."""
    full = []
    for place, row in enumerate(rows):
        base = {
            "pair_id": str(place), "prompt_id": "p", "prompt": to_rows("Question?"), "chosen_id": f"c{place}",
            "rejected_id": f"r{place}", "content_id": f"t{place}", "recipe": "mine",
        }  # fmt: skip
        base |= dict(row)
        base.setdefault("chosen", assistant(f"text {base['chosen_id']}"))
        base.setdefault("rejected", assistant(f"text {base['rejected_id']}"))
        full.append(base)
    return pl.DataFrame(full, schema=SCHEMA)
