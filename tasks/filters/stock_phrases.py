"""Stock phrases: takes out pairs whose answers begin or end with words that too many other answers have, too.

Source: texts that occur in many documents as boilerplate (arXiv:1910.10683, section 2.2; arXiv:2107.06499).

Use it on samples of one model, which likes to begin with "Certainly! Here is" and to end with "I hope this helps". It
is bad where the format is asked for: answers to one template begin alike by right.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from schemas.coins import coins
from tasks.filters._texts import removals, sides, spoken

_ROWS = 20_000
"""Texts that are cut into words at a time."""


@row_filter(scope="dataset", texts=True)
def stock_phrases(
    preferences: pl.DataFrame,
    *,
    of: Literal["chosen", "rejected", "either"] = "chosen",
    n: int = 4,
    most: float = 0.05,
    least: int = 20,
    seed: int = 0,
) -> pl.DataFrame:
    """Returns the removals of pairs until no first or last ``n`` words are those of more than ``most`` of the answers.

    Which of those with a phrase go is a coin; ``value`` is the phrase. Case and punctuation do not count.

    Args:
        most: share of the answers that may have a phrase. least: so many may have it in any case.
    """
    if n < 1 or not 0 < most <= 1:
        raise ValueError(f"n {n} must be 1 or more, and most {most} above 0 and at most 1")
    parts = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for side in sides(of):
        portions = (_ends(part, side, n) for part in preferences.iter_slices(_ROWS))
        phrases = pl.concat([_ends(preferences.clear(), side, n), *portions])
        toss = pl.Series("coin", coins(seed, phrases["row_id"], "stock phrases", side), dtype=pl.Float64)
        cap = max(least, int(most * phrases.height))
        for place in ("begins", "ends"):
            rows = phrases.select("row_id", toss, phrase=place)
            rows = rows.filter(pl.len().over("phrase") > cap)
            rank = pl.struct("coin", "row_id").rank("ordinal").over("phrase")
            reason = pl.when(rank > cap).then(pl.lit(f"{side} {place} as too many do"))
            parts.append(rows.select("row_id", reason=reason, value="phrase"))
    return removals(pl.concat(parts))


def _ends(rows: pl.DataFrame, side: str, n: int) -> pl.DataFrame:
    """Returns row_id and the first and last ``n`` words of the texts that have twice as many, in lower case."""
    words = rows.select(row_id="pair_id", words=spoken(side).str.to_lowercase().str.extract_all(r"\w+"))
    words = words.filter(pl.col("words").list.len() >= 2 * n)
    first, last = pl.col("words").list.head(n), pl.col("words").list.tail(n)
    return words.select("row_id", begins=first.list.join(" "), ends=last.list.join(" "))
