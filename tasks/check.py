"""Verb: holds what is about to be published against the recipe's gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.score import Step


def check(gates: Sequence[Step], tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns every check of every gate: gate, name, severity (block, warn), success, observed, allowed, says.

    Args:
        gates: the recipe's gates, in order.
        tables: what they look at: frames, or the paths of Parquet files.
    """
    return [{"gate": gate.block.name, **row} for gate in gates for row in gate(tables).to_dicts()]


def refused(checks: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns in words why these checks block the data, null when they do not."""
    blocking = [row for row in checks if row["severity"] == "block" and not row["success"]]
    if not blocking:
        return None
    found = "; ".join(
        f"{row['gate']}.{row['name']}: {row['says']} (found {row['observed']:g}, allowed {row['allowed']})"
        for row in blocking
    )
    return f"{len(blocking)} of {len(checks)} checks failed: {found}"
