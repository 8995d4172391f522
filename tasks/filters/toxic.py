"""Toxicity: takes out pairs with an answer that a classifier, or a judge, finds toxic.

Source: classifier filters of pre-training and chat data (Gehman et al. 2020, arXiv:2009.11462; BeaverTails,
arXiv:2307.04657: harm labels beside preferences).

Use it after a judge that scores toxicity: ``judge: reward_model`` with a text classifier (``reward:FOLDER``, its labels
as heads), or ``judge: pointwise`` with a rubric. It is bad at irony and at quoted abuse, and classifiers call dialects
toxic: look at what goes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides


@row_filter
def toxic(
    preferences: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: tuple[str, ...] = ("toxicity",),
    most: float = 0.5,
    of: Literal["chosen", "rejected", "either"] = "chosen",
    logits: bool = False,
) -> pl.DataFrame:
    """Returns the removals of pairs with an answer above ``most`` by one of the criteria: row_id, reason, the score.

    An answer without a score stays: nobody found it toxic.

    Args:
        criteria: names of the scores; the mean over scorers counts.
        most: highest score that stays. of: a toxic rejected answer is often wanted.
        logits: the scores are raw numbers of a classifier, of which the sigmoid counts.

    Raises:
        ValueError: no completion has a score by any of the criteria, so that nothing was looked at.
    """
    own = scores.filter(pl.col("criterion").is_in(criteria))
    if scores.height and not own.height:
        found = ", ".join(sorted(scores["criterion"].unique())) or "none"
        raise ValueError(f"nobody scored {', '.join(criteria)}; there are scores by {found}")
    mean = own.group_by("completion_id", "criterion").agg(pl.col("score").mean())
    if logits:
        mean = mean.with_columns(score=1 / (1 + np.e ** (-pl.col("score"))))
    worst = mean.sort("score", "criterion", descending=[True, False]).unique("completion_id", keep="first")
    parts = []
    for side in sides(of):
        rows = preferences.select("pair_id", completion_id=f"{side}_id").join(worst, on="completion_id")
        said = pl.concat_str([pl.lit(f"{side}: "), pl.col("criterion")])
        reason = pl.when(pl.col("score") > most).then(said)
        parts.append(rows.select(row_id="pair_id", reason=reason, value=pl.col("score").round(4).cast(pl.String)))
    return removals(pl.concat(parts))
