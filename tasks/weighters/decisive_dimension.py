"""Decisive dimension: which of several criteria decides a pair, and a weight that balances them.

Source: Hummer (arXiv:2405.11647, section 3: pairs filed by alignment dimension; section 4: balanced sampling of the
dimensions).

Use it to train on dimensions that do not fight each other. It is bad at criteria on unlike scales: they are compared in
units of their own spread.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter(scope="dataset")
def decisive_dimension(
    preferences: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: list[str],
    clearance: float = 0.0,
    balance: bool = False,
) -> pl.DataFrame:
    """Returns the preferences with ``level`` = the criterion whose difference is largest in the direction of the label.

    Null, and so undecided, where no criterion prefers the chosen, or where the second largest comes within
    ``clearance``. Differences are measured in population standard deviations over all pairs. ``meta`` counts the
    criteria that prefer the rejected (``conflicts``).

    Args:
        clearance: in standard deviations.
        balance: ``weight`` makes the pairs of each criterion weigh the same in sum, 1 on average.

    Raises:
        ValueError: no criterion is given.
    """
    if not criteria:
        raise ValueError("criteria are empty; name the dimensions")
    rows = preferences.select("chosen_id", "rejected_id")
    for place, criterion in enumerate(criteria):
        own = scores.filter(pl.col("criterion") == criterion).unique("completion_id")
        for side in ("chosen", "rejected"):
            values = own.select(pl.col("completion_id").alias(f"{side}_id"), pl.col("score").alias(f"{side}{place}"))
            rows = rows.join(values, on=f"{side}_id", how="left", maintain_order="left")
    gaps = [pl.col(f"chosen{place}") - pl.col(f"rejected{place}") for place in range(len(criteria))]
    # the deviation of equal numbers need not be 0 to the last digit
    units = [pl.when(gap.max() > gap.min()).then(gap / gap.std(ddof=0)) for gap in gaps]
    rows = rows.with_columns(units=pl.concat_list(units))
    ordered = pl.col("units").list.sort(descending=True, nulls_last=True)
    first, second = ordered.list.first(), ordered.list.get(1, null_on_oob=True).fill_null(-float("inf"))
    clear = (first > 0) & ((first - second > clearance) | (pl.lit(len(criteria)) == 1))
    names = pl.col("units").list.arg_max().replace_strict(dict(enumerate(criteria)), return_dtype=pl.String)
    found = rows.select(
        level=pl.when(clear).then(names), conflicts=pl.col("units").list.eval(pl.element() < 0).list.sum()
    )
    made = noted(preferences.with_columns(level=found["level"], _c=found["conflicts"]), conflicts=pl.col("_c")).drop(
        "_c"
    )
    if balance:
        known, size = pl.col("level").is_not_null(), pl.len().over("level")
        share = known.sum() / (pl.col("level").drop_nulls().n_unique() * size)
        made = made.with_columns(weight=pl.when(known).then(share))
    return made
