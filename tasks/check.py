"""Verb: holds what is about to be published against the recipe's gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.errors import boundary
from tasks.score import Step


def check(gates: Sequence[Step], tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns every check of every gate: gate, name, severity (block, warn), success, observed, allowed, says.

    Args:
        gates: the recipe's gates, in order.
        tables: what they look at: frames, or the paths of Parquet files.
    """
    return [{"gate": gate.block.name, **row} for gate in gates for row in gate(tables).to_dicts()]


def unjudged(counts: Mapping[str, tuple[int, int]], gates: Sequence[Step]) -> list[dict[str, Any]]:
    """Returns a check a judge inside a search that raised: on how large a share of the texts it was given.

    Args:
        counts: judge -> texts on which it raised, and all. gates: the recipe's; a gate's ``max_error_rate`` is the
            bound, 0.1 where none has one. A recipe without gates has no checks.
    """
    bound = next((gate.params["max_error_rate"] for gate in gates if "max_error_rate" in gate.params), 0.1)
    return [
        {
            "gate": "searches", "name": f"{judge} error_rate", "severity": "block", "success": raised / total <= bound,
            "observed": raised / total, "allowed": f"at most {bound:g}", "says": "a search's judge seldom raises",
        }
        for judge, (raised, total) in counts.items() if raised and gates
    ]  # fmt: skip


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


def offending(gate: Step, name: str, tables: Mapping[str, Any], *, most: int = 20) -> pl.DataFrame:
    """Returns at most so many rows behind one check of a gate.

    Raises:
        RecipeError: no rows are known behind such a check: a gate of one's own has none.
    """
    from tasks.gates._rows import offending as rows

    with boundary(f"recipe {gate.recipe}, gate {gate.block.name}"):
        return rows(gate.block.name, name, tables, gate.params, most=most)
