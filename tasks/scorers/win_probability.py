"""Win probability: how likely a completion beats another of its prompt's samples, on average.

Source: SPPO (arXiv:2405.00675, section 4 and its data scripts: mean over all K of sigmoid(s_i - s_j), itself included);
SPO (arXiv:2401.04056, section 3: mean over the others); LiPO (arXiv:2402.01878, section 3.1: psi with 1/2 for itself).

Use it for targets of win-rate losses and for graded list labels. It is bad at few samples: with two it says no more
than the comparison.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import UNIT, both_ways, by_judge, duels, per, ratings
from tasks.scorers._quantile import finished


@scorer
def win_probability(
    judgments: pl.DataFrame, *, itself: bool = False, temperature: float = 1.0, criterion: str | None = None
) -> pl.DataFrame:
    """Returns for each completion the mean over its opponents of P(it beats the opponent).

    From comparisons, P is the mean vote, a judge one voice and a tie half; over the opponents it met. Where there are
    none, from ratings: sigmoid((own mean - other's mean) / temperature), over all that were rated.

    Args:
        itself: it meets itself too, with 1/2: the mean over a prompt is then exactly 1/2.
        temperature: of the sigmoid, in units of the rating.
        criterion: only judgments by this one.

    Raises:
        ValueError: temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    rows = judgments if criterion is None else judgments.filter(pl.col("criterion") == criterion)
    compared = _compared(rows)
    rated = _rated(rows.join(compared.select("prompt_id").unique(), on="prompt_id", how="anti"), temperature)
    met = pl.concat([compared, rated])
    own = met.select(pl.all().exclude("won", "against", "votes")).unique() if itself else met.clear()
    if itself:
        own = own.with_columns(against=pl.col("completion_id"), won=pl.lit(0.5), votes=pl.lit(0, pl.Int64))
        met = pl.concat([met, own.select(met.columns)])
    scored = per(met, "prompt_id", "completion_id", "criterion").agg(
        score=pl.col("won").mean(), judgments=pl.col("votes").sum(), standard_error=pl.lit(None, pl.Float64).first()
    )
    return finished(scored, "win_probability")


def _compared(rows: pl.DataFrame) -> pl.DataFrame:
    pairs = per(by_judge(duels(rows), "half"), *UNIT, "one", "other").agg(
        pl.col("won").mean(), pl.col("votes").sum().cast(pl.Int64)
    )
    return both_ways(pairs, "votes").select("prompt_id", "criterion", "completion_id", "against", "won", "votes")


def _rated(rows: pl.DataFrame, temperature: float) -> pl.DataFrame:
    mean = per(ratings(rows), "prompt_id", "criterion", "completion_id").agg(
        pl.col("score").mean(), votes=pl.len().cast(pl.Int64)
    )
    other = mean.select("prompt_id", "criterion", against="completion_id", theirs="score")
    met = mean.join(other, on=["prompt_id", "criterion"]).filter(pl.col("completion_id") != pl.col("against"))
    won = 1 / (1 + ((pl.col("theirs") - pl.col("score")) / temperature).exp())
    return met.select("prompt_id", "criterion", "completion_id", "against", won=won, votes="votes")
