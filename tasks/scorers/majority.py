"""Majority: what most judges said, every judge with one voice.

Source: Condorcet 1785 (the majority of independent voters better than chance); Zheng et al. 2023, arXiv:2306.05685,
section 3.4 (a judge's two orders make one verdict).

Use it for few judges of like quality. It is bad at panels where most judges share a bias, since it cannot tell a good
judge from three bad ones: see ``dawid_skene``. Audited on common items, judges that err together count as fewer.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.readers.audits import voices
from tasks.scorers._panel import JUDGE, UNIT, Ties, both_ways, by_judge, duels, finish, per, ratings


@scorer
def majority(
    judgments: pl.DataFrame,
    audits: pl.DataFrame | None = None,
    *,
    ties: Ties = "half",
    groups: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    """Returns, from duels, the share of opponents a completion beats by majority; from ratings, the commonest score.

    A judge's voice on a pair is the sign of its mean vote over orders and repeats, so one that contradicts itself
    abstains. A pair whose voices balance is a tie, half a win to either. Two equally common ratings give their mean.
    Judges whose common audit shows that they err together share their voices: two that always err alike are one.

    Args:
        judgments: higher scores are better.
        audits: matched to judges by fingerprint; judges without a common audit have a whole voice each.
        ties: ``half`` lets a tied verdict stand as a voice for neither; ``drop`` leaves it out.
        groups: group -> its judges; each group is scored apart, as ``majority:GROUP``.
    """
    return finish(pl.concat([_duels(judgments, audits, ties, groups), _ratings(judgments, groups)]), "majority")


def _duels(
    judgments: pl.DataFrame, audits: pl.DataFrame | None, ties: Ties, groups: dict[str, list[str]] | None
) -> pl.DataFrame:
    cast = by_judge(duels(judgments, groups), ties).with_columns(voice=(pl.col("won") - 0.5).sign())
    shared = voices(cast["fingerprint"].unique().to_list(), audits)
    whole = pl.col("fingerprint").replace_strict(shared, default=1.0, return_dtype=pl.Float64)
    cast = cast.with_columns(whole=whole if shared else pl.lit(1.0))
    total = (pl.col("voice") * pl.col("whole")).sum().round(9)
    pairs = per(cast, *UNIT, "one", "other").agg(
        won=(total.sign() + 1) / 2,
        support=(total / pl.col("whole").sum() + 1) / 2,
        voices=pl.col("whole").sum(),
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
