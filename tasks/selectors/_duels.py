"""Who beats whom, by the judgments: one voice a judge and pair, failures no voice.

Source: MT-bench (arXiv:2306.05685, section 3.4: both orders); the judgments table.
"""

from __future__ import annotations

import polars as pl

COUNTED = ("valid", "tie")


def duels(judgments: pl.DataFrame, criterion: str | None = None) -> pl.DataFrame:
    """Returns one row per pair, judge and its fingerprint: prompt_id, ``one`` < ``other``, judge, fingerprint, ``won``.

    ``won`` is the mean over orders and repeats: the judge's probability that ``one`` is better where it is known, else
    1 where ``one`` won, 0 where the other did, 1/2 for a tie. A failed or unreadable judgment is no vote.
    """
    rows = judgments.filter(pl.col("kind") == "pairwise", pl.col("outcome").is_in(COUNTED))
    if criterion is not None:
        rows = rows.filter(pl.col("criterion") == criterion)
    first, second = pl.col("subjects").list.get(0), pl.col("subjects").list.get(1)
    one = pl.min_horizontal(first, second)
    probability = (pl.col("probability") if "probability" in judgments.columns else pl.lit(None)).cast(pl.Float64)
    sure = pl.when(first == one).then(probability).otherwise(1 - probability)
    named = pl.when(pl.col("outcome") == "tie").then(0.5).otherwise((pl.col("winner") == one).cast(pl.Float64))
    won = pl.coalesce(sure, named)
    keys = ["prompt_id", "one", "other", "judge", "fingerprint"]
    votes = rows.select("prompt_id", "judge", "fingerprint", one=one, other=pl.max_horizontal(first, second), won=won)
    return votes.sort(*keys, "won").group_by(keys, maintain_order=True).agg(pl.col("won").mean())


def table(judgments: pl.DataFrame, criterion: str | None = None) -> pl.DataFrame:
    """Returns one row per pair: prompt_id, ``one`` < ``other``, ``won``, the mean of its judges, and ``voices``."""
    keys = ["prompt_id", "one", "other"]
    return duels(judgments, criterion).group_by(keys, maintain_order=True).agg(
        pl.col("won").mean(), voices=pl.len()
    )  # fmt: skip
