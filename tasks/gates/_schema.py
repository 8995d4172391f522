"""Whether a preferences table has the columns it must have, of the types they must have.

Source: schemas/tables.py.
"""

from __future__ import annotations

import polars as pl

from schemas.tables import PREFERENCES
from tasks.gates._bounds import CHECKS, row
from tasks.gates._suite import Rows, asked

NOTED = ("dataset", "run_id", "created_at")
"""Columns that are filled in when the rows are published."""
_COLUMNS = "select column_name as name, column_type as kind from (describe {table})"


def schema_faults(preferences: Rows) -> list[str]:
    """Returns what is wrong with the columns: those missing, unknown, or of another type."""
    wanted = _types(PREFERENCES.empty())
    found = _types(preferences)
    needed = [field.name for field in PREFERENCES.schema if not field.nullable and field.name not in NOTED]
    faults = [f"{name} is missing" for name in needed if name not in found]
    faults += [f"{name} is no column of the table" for name in found if name not in wanted]
    return faults + [
        f"{name} is {found[name]}, not {kind}" for name, kind in wanted.items()
        if name in found and found[name] not in (kind, '"NULL"') and name not in NOTED
    ]  # fmt: skip


def _types(rows: Rows) -> dict[str, str]:
    return dict(asked(_COLUMNS.format(table="preferences"), {"preferences": rows}).rows())


def faulty(faults: list[str]) -> pl.DataFrame:
    """Returns the one check that can be made of a table with such columns: it blocks."""
    says = f"every column that must be there is, and all have their types: {'; '.join(faults[:5])}"
    return pl.DataFrame([row("schema_faults", "block", False, float(len(faults)), None, 0.0, says)], schema=CHECKS)
