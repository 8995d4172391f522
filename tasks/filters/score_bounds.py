"""Pairs whose chosen is not good enough, or whose rejected is too good.

Source: ScPO (arXiv:2411.04109, section 2.2: the chosen's votes reach a share of all samples); Direct Nash Optimization
(arXiv:2404.03715, section 4: an absolute bar for the chosen).

Use it where a best of bad answers must not be chosen. It is bad with reward models, whose scale has no fixed meaning
from prompt to prompt.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter


@row_filter
def score_bounds(
    preferences: pl.DataFrame, *, least_chosen: float | None = None, most_rejected: float | None = None
) -> pl.DataFrame:
    """Returns the removals of pairs whose chosen scores below one bound or whose rejected scores above the other.

    ``value`` is the score; on a bound a pair stays. A pair without that score goes too.

    Raises:
        ValueError: no bound is given.
    """
    if least_chosen is None and most_rejected is None:
        raise ValueError("no bound is given: set least_chosen or most_rejected")
    low = pl.lit(False) if least_chosen is None else (pl.col("chosen_score") < least_chosen).fill_null(True)
    high = pl.lit(False) if most_rejected is None else (pl.col("rejected_score") > most_rejected).fill_null(True)
    reason = pl.when(low).then(pl.lit("chosen too low")).when(high).then(pl.lit("rejected too high"))
    shown = pl.when(low).then("chosen_score").otherwise("rejected_score").cast(pl.String)
    rows = preferences.select(row_id="pair_id", reason=reason, value=shown)
    return rows.filter(pl.col("reason").is_not_null()).sort("row_id")
