"""Pairs for each criterion apart: one stage a dimension, or one user a criterion.

Source: SPO (arXiv:2405.12739, section 3: one round of alignment a dimension); VPL (arXiv:2408.10075, section 5.2: users
who each care for one aspect; pairs on which they differ).

Use it for one stage or one user a criterion. It is bad mixed into one plain dataset: the same pair then stands there
both ways.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._sets import every, first_of, measured, paired, starts


@selector
def per_criterion(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: list[str],
    pairs: Literal["extremes", "all"] = "extremes",
    stages: bool = False,
    min_margin: float = 0.0,
    disputed_only: bool = False,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns pairs labelled by each criterion alone, its name in ``criterion`` and ``annotator_group``.

    A criterion that ties on a pair says nothing of it. ``meta`` says whether the criteria that do not tie disagree
    (``disputed``).

    Args:
        criteria: in the order of their stages.
        pairs: the best against the worst by each criterion, or all pairs, each labelled by every criterion.
        stages: ``stage`` is the place of the criterion, from 1; else it is null.
        min_margin: the scores must lie further apart than this.
        disputed_only: leave out the pairs on which all agree.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a criterion was scored by nobody or by several scorers, or min_margin is negative.
    """
    if not min_margin >= 0:
        raise ValueError(f"min_margin is {min_margin}; it must be 0 or more")
    rows = measured(completions, scores, criteria, truncated=truncated, partial=True)
    found = []
    for place, name in enumerate(criteria):
        own = rows.filter(pl.col(f"c{place}").is_not_null())
        met = _extremes(own, place) if pairs == "extremes" else _all(own, place)
        found.append(
            met.filter(pl.col("margin") > min_margin).with_columns(
                criterion=pl.lit(name), annotator_group=pl.lit(name),
                stage=pl.lit(place + 1 if stages else None, pl.Int64),
            )
        )  # fmt: skip
    made = pl.concat(found)
    ends = [pl.min_horizontal("chosen_id", "rejected_id"), pl.max_horizontal("chosen_id", "rejected_id")]
    disputed = (pl.col("chosen_id") < pl.col("rejected_id")).n_unique().over("prompt_id", *ends) > 1
    made = made.with_columns(_disputed=disputed).sort("prompt_id", "criterion", "chosen_id", "rejected_id")
    kept = made.filter(pl.col("_disputed")) if disputed_only else made
    return noted(kept, disputed=pl.col("_disputed")).drop("_disputed")


def _extremes(rows: pl.DataFrame, place: int) -> pl.DataFrame:
    score, begin = rows[f"c{place}"].to_numpy(), starts(rows)
    best, worst = first_of(rows, score, begin), first_of(rows, -score, begin)
    return paired(rows, best, worst, score[best], score[worst])


def _all(rows: pl.DataFrame, place: int) -> pl.DataFrame:
    score = rows[f"c{place}"].to_numpy()
    one, other = every(rows, lambda i, j: score[i] > score[j])
    return paired(rows, one, other, score[one], score[other])
