"""Checks that need no library: numbers that plainly lie within plain bounds.

Source: Great Expectations 1.x, ``expect_column_values_to_be_between``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

CHECKS = {
    "name": pl.String, "severity": pl.String, "success": pl.Boolean, "observed": pl.Float64, "allowed": pl.String,
    "says": pl.String,
}  # fmt: skip

BETWEEN = "expect_column_values_to_be_between"
SEVERITIES = {"critical": "block", "warning": "warn", "info": "warn"}


def within(
    expectations: Sequence[Mapping[str, Any]], numbers: Mapping[str, float], parameters: Mapping[str, Any]
) -> pl.DataFrame | None:
    """Returns the checks of plain bounds that all hold; null when one is something else, or does not hold."""
    rows = []
    for written in expectations:
        column, severity = written["kwargs"]["column"], SEVERITIES[written.get("severity", "critical")]
        bounds = {
            key: parameters.get(value["$PARAMETER"]) if isinstance(value, dict) else value
            for key, value in written["kwargs"].items() if key != "column"
        }  # fmt: skip
        plain = (
            written["type"] == BETWEEN and bounds.keys() <= {"min_value", "max_value"} and None not in bounds.values()
        )
        found, low, high = numbers.get(column, math.nan), bounds.get("min_value"), bounds.get("max_value")
        if not plain or not (-math.inf if low is None else low) <= found <= (math.inf if high is None else high):
            return None  # a NaN lies nowhere
        rows.append(row(column, severity, True, found, low, high, written.get("description")))
    return pl.DataFrame(rows, schema=CHECKS, orient="row")


def row(
    name: str, severity: str, success: bool, observed: float, low: float | None, high: float | None, says: str | None
) -> dict[str, Any]:
    """Returns one check as ``checked`` gives it."""
    allowed = " and ".join(f"{sign} {end:g}" for sign, end in ((">=", low), ("<=", high)) if end is not None)
    return {"name": name, "severity": severity, "success": success, "observed": observed, "allowed": allowed,
            "says": says}  # fmt: skip
