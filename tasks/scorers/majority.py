"""Majority: what most judges said, every judge with one voice.

Source: Condorcet 1785 (the majority of independent voters better than chance); Zheng et al. 2023, arXiv:2306.05685,
section 3.4 (a judge's two orders make one verdict).

Use it for few judges of like quality. It is bad at panels where most judges share a bias, since it cannot tell a good
judge from three bad ones: see ``dawid_skene``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import JUDGE, UNIT, Ties, both_ways, by_judge, duels, finish, per, ratings


@scorer
def majority(
    judgments: pl.DataFrame, *, ties: Ties = "half", groups: dict[str, list[str]] | None = None
) -> pl.DataFrame:
    """Returns, from duels, the share of opponents a completion beats by majority; from ratings, the commonest score.

    A judge's voice on a pair is the sign of its mean vote over orders and repeats, so one that contradicts itself
    abstains. A pair whose voices balance is a tie, half a win to either. Two equally common ratings give their mean.

    Args:
        judgments: higher scores are better.
        ties: ``half`` lets a tied verdict stand as a voice for neither; ``drop`` leaves it out.
        groups: group -> its judges; each group is scored apart, as ``majority:GROUP``.
    """
    return finish(pl.concat([_duels(judgments, ties, groups), _ratings(judgments, groups)]), "majority")


def _duels(judgments: pl.DataFrame, ties: Ties, groups: dict[str, list[str]] | None) -> pl.DataFrame:
    voices = by_judge(duels(judgments, groups), ties).with_columns(voice=(pl.col("won") - 0.5).sign())
    pairs = per(voices, *UNIT, "one", "other").agg(
        won=(pl.col("voice").sum().sign() + 1) / 2,
        support=(pl.col("voice").mean() + 1) / 2,
        voices=pl.len(),
        votes=pl.col("votes").sum(),
    )
    # Variance of the Beta posterior of the share of voices: one unanimous voice is not certainty.
    n, share = pl.col("voices") + 2, (pl.col("support") * pl.col("voices") + 1) / (pl.col("voices") + 2)
    sides = both_ways(pairs.with_columns(variance=share * (1 - share) / (n + 1)), "variance", "votes")
    return per(sides, *UNIT, "completion_id").agg(
        score=pl.col("won").mean(),
        judgments=pl.col("votes").sum(),
        standard_error=pl.col("variance").sum().sqrt() / pl.len(),
    )


def _ratings(judgments: pl.DataFrame, groups: dict[str, list[str]] | None) -> pl.DataFrame:
    voices = per(ratings(judgments, groups), *UNIT, "completion_id", *JUDGE).agg(
        pl.col("score").mean(), pl.len().alias("votes")
    )  # fmt: skip
    counts = voices.group_by(*UNIT, "completion_id", "score").agg(voices=pl.len())
    common = counts.filter(pl.col("voices") == pl.col("voices").max().over(*UNIT, "completion_id"))
    totals = per(voices, *UNIT, "completion_id").agg(
        judgments=pl.col("votes").sum(), standard_error=pl.col("score").std() / pl.len().sqrt()
    )
    return per(common, *UNIT, "completion_id").agg(pl.col("score").mean()).join(totals, on=[*UNIT, "completion_id"])
