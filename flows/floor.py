"""A recipe's audit floor: how good its judges must have been on gold labels before they are asked anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.errors import RefusedError, UsageError, nearest
from schemas.recipe import Recipe
from tasks.judge import Judging

AT_LEAST = ("accuracy", "kappa", "order_agreement")
AT_MOST = ("position_bias", "length_bias", "calibration_error")


def check_floor(floor: Mapping[str, float], judges: Sequence[Judging], audits: pl.DataFrame) -> None:
    """Refuses a run whose judges were not audited, or fell short of the recipe's floor.

    Args:
        floor: measure of the audits table -> least value; for biases and calibration error the greatest, either way.

    Raises:
        RefusedError: which judge, what was found, and how to audit it.
    """
    for judge in judges:
        rows = audits.filter(pl.col("fingerprint") == judge.fingerprint).sort("created_at")
        if not rows.height:
            raise RefusedError(
                f"the recipe demands an audit of judge {judge.name!r} ({judge.fingerprint[:12]}), and there is none: "
                f"pairwright audit {judge.name} --gold FILE, or pairwright migrate where an older version audited it"
            )
        row = rows.row(-1, named=True)
        for measure, limit in floor.items():
            found = row[measure]
            short = found is None or (found < limit if measure in AT_LEAST else abs(found) > limit)
            if short:
                sign = "at least" if measure in AT_LEAST else "at most"
                demand = f"the recipe demands {sign} {limit}"
                raise RefusedError(f"judge {judge.name!r} has {measure} {found} on {row['gold']}, {demand}")


def check_floor_names(recipe: Recipe) -> None:
    """Checks that a floor names measures of the audits table.

    Raises:
        UsageError: it does not.
    """
    for measure in recipe.require_audit:
        if measure not in (*AT_LEAST, *AT_MOST):
            known = nearest(measure, (*AT_LEAST, *AT_MOST))
            raise UsageError(f"recipe {recipe.name}, require_audit: no measure {measure!r}; {known}")
