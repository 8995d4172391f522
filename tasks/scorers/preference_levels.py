"""Preference levels: what a completion is worth by rules alone: right, readable, in form, or none of these.

Source: TRPA (arXiv:2504.04524, section 3.1: four levels by format and answer; the reward is shown, the level decides).

Use it for pairs over rules where the size of a reward means nothing. It is bad at telling two right answers apart.
"""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._panel import per
from tasks.scorers._quantile import finished


@scorer
def preference_levels(
    judgments: pl.DataFrame,
    *,
    form: str = "format",
    answer: str = "correct",
    rewards: tuple[float, float, float, float] = (3.0, -0.5, -1.0, -3.0),
    criterion: str = "level",
) -> pl.DataFrame:
    """Returns one of four scores a completion: right and in form, wrong, no readable answer, not in form.

    A completion is in form where every judgment by ``form`` gives it more than 1/2; right where every one by ``answer``
    does. Not readable is ``unparsable``, or the flag ``no_mark``, ``empty_mark`` or ``answer_unread`` of a rule. A completion
    without a verdict on its form, or whose answer a judge failed to judge, has no level.

    Args:
        form, answer: criteria. rewards: of the four levels, falling.

    Raises:
        ValueError: rewards do not fall.
    """
    if not all(one > other for one, other in pairwise(rewards)):
        raise ValueError(f"rewards are {rewards}; they must fall from level to level")
    rows = judgments.filter(pl.col("kind") == "pointwise").with_columns(completion_id=pl.col("subjects").list.first())
    valid = (pl.col("outcome") == "valid") & pl.col("score").is_finite()
    flagged = pl.lit(False)
    if "flags" in rows.columns:
        flagged = pl.col("flags").list.set_intersection(["no_mark", "empty_mark", "answer_unread"]).list.len() > 0
    keys = ("prompt_id", "completion_id")
    shaped = per(rows.filter(pl.col("criterion") == form).select(*keys, "score", valid=valid), *keys).agg(
        shaped=pl.col("valid").all(), fits=(pl.col("score") > 0.5).all(), forms=pl.len()
    )
    given = rows.filter(pl.col("criterion") == answer).select(*keys, "score", "outcome", valid=valid, flagged=flagged)
    answered = per(given, *keys).agg(
        decided=pl.col("valid").all(), right=(pl.col("score") > 0.5).all(), answers=pl.len(),
        unread=((pl.col("outcome") == "unparsable") | pl.col("flagged").fill_null(False)).any(),
    )  # fmt: skip
    both = shaped.filter("shaped").join(answered, on=keys, how="left")
    level = (
        pl.when(~pl.col("fits")).then(3).when(pl.col("unread")).then(2)
        .when(pl.col("decided") & pl.col("right")).then(0).when("decided").then(1)
    )  # fmt: skip
    scored = both.with_columns(level=level).filter(pl.col("level").is_not_null())
    value = pl.col("level").replace_strict(dict(enumerate(rewards)), return_dtype=pl.Float64)
    return finished(
        scored.select(
            *keys, criterion=pl.lit(criterion), score=value, standard_error=pl.lit(None, pl.Float64),
            judgments=pl.col("forms") + pl.col("answers").fill_null(0),
        ),
        "preference_levels",
    )  # fmt: skip
