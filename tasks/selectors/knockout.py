"""The winner and the loser of a tournament over the judge's verdicts, kept where they agree on it in the end.

Source: INPO (arXiv:2407.00617, section 4.1: eight samples, eleven comparisons instead of twenty-eight, kept only if the
best beats the worst).

Use it with a pairwise judge, where all comparisons are too many. It is bad at second places, and one wrong verdict
early sends the best home.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._duels import table
from tasks.selectors._sets import held, numbered


@selector
def knockout(
    completions: pl.DataFrame,
    judgments: pl.DataFrame,
    *,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt: the last of the winners over the last of the losers.

    Neighbours meet, by sample number, then id; of a tie the first goes on as winner; one left over waits. Winners meet
    winners and losers losers until one of each is left. A prompt is left out where a comparison it needs has no
    readable verdict, and where best does not beat worst. ``p_chosen`` is the share of the votes of that last
    comparison; ``meta`` counts the comparisons.

    Args:
        judgments: pairwise; each judge has one voice a pair, the mean over both orders.
        criterion: which verdicts count, where there are several.
        truncated: completions cut by their length limit may be used.
    """
    rows = numbered(held(completions, truncated))
    known = table(judgments, criterion)
    players = rows.select("prompt_id", "completion_id", "sample_index").sort(
        "prompt_id", "sample_index", "completion_id"
    )
    players = players.drop("sample_index").filter(pl.len().over("prompt_id") > 1)
    first = _round(players, known)
    winners, losers = _side(first, "winner"), _side(first, "loser", waits=False)
    asked = _count(first)
    while winners.height > winners["prompt_id"].n_unique():
        played = _round(winners, known)
        winners, asked = _side(played, "winner"), pl.concat([asked, _count(played)])
    while losers.height > losers["prompt_id"].n_unique():
        played = _round(losers, known)
        losers, asked = _side(played, "loser"), pl.concat([asked, _count(played)])
    ends = winners.rename({"completion_id": "chosen_id"}).join(
        losers.rename({"completion_id": "rejected_id"}), on="prompt_id"
    )
    met = _verdicts(ends, "chosen_id", "rejected_id", known).filter(pl.col("share") > 0.5)
    calls = asked.group_by("prompt_id").agg(pl.col("comparisons").sum(), pl.col("missing").sum())
    met = met.join(calls, on="prompt_id").filter(pl.col("missing") == 0).sort("prompt_id")
    made = met.select("prompt_id", "chosen_id", "rejected_id", "comparisons", p_chosen="share")
    return noted(made, comparisons=pl.col("comparisons") + 1).drop("comparisons")


def _round(players: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Returns the matches of neighbours, with ``share`` of the first's wins; one left over has no opponent."""
    match = pl.int_range(pl.len()).over("prompt_id") // 2
    met = players.with_columns(match=match).group_by("prompt_id", "match", maintain_order=True).agg(
        left=pl.col("completion_id").first(), right=pl.col("completion_id").get(1, null_on_oob=True)
    )  # fmt: skip
    return _verdicts(met, "left", "right", known)


def _verdicts(met: pl.DataFrame, left: str, right: str, known: pl.DataFrame) -> pl.DataFrame:
    turned = pl.col(left) > pl.col(right)
    ends = met.with_columns(one=pl.min_horizontal(left, right), other=pl.max_horizontal(left, right))
    found = ends.join(known, on=["prompt_id", "one", "other"], how="left", maintain_order="left")
    return found.with_columns(share=pl.when(turned).then(1 - pl.col("won")).otherwise("won")).drop(
        "one", "other", "won", "voices"
    )


def _side(played: pl.DataFrame, side: str, *, waits: bool = True) -> pl.DataFrame:
    """Returns who goes on in a bracket; the one left over of the first round is no loser."""
    first = pl.col("share").fill_null(0.5) >= 0.5
    goes = pl.when(first if side == "winner" else ~first).then("left").otherwise("right")
    alone = pl.col("right").is_null()
    rows = played if waits else played.filter(~alone)
    return rows.select("prompt_id", completion_id=pl.when(alone).then("left").otherwise(goes))


def _count(played: pl.DataFrame) -> pl.DataFrame:
    real = pl.col("right").is_not_null()
    return played.select(
        "prompt_id", comparisons=real.cast(pl.Int64), missing=(real & pl.col("share").is_null()).cast(pl.Int64)
    )
