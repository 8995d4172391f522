"""Contexts: beside each pair, other pairs labelled by the same user, from which a model may infer who that is.

Source: VPL (arXiv:2408.10075, section 5.2 and its data scripts: a survey of 100 pairs, contexts of up to 8 of them).

Use it with several users a prompt set. It is bad at users of few pairs, who have little to show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import relabeler
from schemas.coins import coins
from schemas.notes import noted


@relabeler(scope="dataset")
def contexts(preferences: pl.DataFrame, *, size: int = 4, survey: int = 100, seed: int = 0) -> pl.DataFrame:
    """Returns the preferences with ``contexts`` in ``meta``: ids of pairs of the same ``annotator_group``.

    They are drawn from the user's survey, pairs of different prompts, and never of the pair's own prompt; a user with
    too few has shorter contexts. ``survey`` in ``meta`` says whether the pair is in its user's survey.

    Args:
        size: of a context. survey: pairs a user is asked at most.
        seed: of the lots, which depend on ids alone.

    Raises:
        ValueError: size or survey is below 1, or the pairs have no users.
    """
    if min(size, survey) < 1:
        raise ValueError(f"size is {size}, survey {survey}; both must be 1 or more")
    if "annotator_group" not in preferences.columns or not preferences["annotator_group"].is_not_null().any():
        raise ValueError("the pairs have no annotator_group; `select: per_criterion` or `annotator_groups` gives one")
    rows = preferences.select("pair_id", "prompt_id", "annotator_group").with_row_index("row")
    toss = pl.Series(coins(seed, rows["pair_id"], "survey"), dtype=pl.Float64)
    asked = rows.with_columns(toss=toss).filter(pl.col("annotator_group").is_not_null()).sort("toss", "pair_id")
    asked = asked.unique(["annotator_group", "prompt_id"], keep="first", maintain_order=True)
    asked = asked.group_by("annotator_group", maintain_order=True).head(survey).sort("annotator_group", "toss")
    users = asked.with_row_index("place").group_by("annotator_group").agg(
        first=pl.col("place").min().cast(pl.Int64), count=pl.len().cast(pl.Int64)
    )  # fmt: skip
    own = rows.join(users, on="annotator_group", how="left", maintain_order="left")
    shown = _shown(own.fill_null(0), asked, size, coins(seed, rows["pair_id"], "context"))
    made = preferences.with_columns(_shown=shown, _asked=pl.col("pair_id").is_in(asked["pair_id"].implode()))
    return noted(made, contexts=pl.col("_shown"), survey=pl.col("_asked")).drop("_shown", "_asked")


def _shown(own: pl.DataFrame, asked: pl.DataFrame, size: int, toss: Any) -> pl.Series:
    """Returns for each pair ``size`` ids of its user's survey, in a circle from a lot, none of its own prompt."""
    first, count = own["first"].to_numpy(), own["count"].to_numpy()
    start = np.floor(toss * count).astype(np.int64)
    columns = []
    for step in range(size + 1):  # a survey has one pair a prompt, so one more is enough to leave out
        place = np.where(step < count, first + (start + step) % np.maximum(count, 1), -1)
        columns.append(pl.Series(f"s{step}", place, dtype=pl.Int64))
    met = own.select("row", "prompt_id").with_columns(columns).unpivot(index=["row", "prompt_id"])
    told = asked.select(value=pl.int_range(pl.len(), dtype=pl.Int64), theirs="prompt_id", pair="pair_id")
    met = met.join(told, on="value").filter(pl.col("prompt_id") != pl.col("theirs")).sort("row", "variable")
    lists = met.group_by("row").agg(pl.col("pair").head(size))
    found = own.select("row").join(lists, on="row", how="left", maintain_order="left")["pair"]
    return found.fill_null(pl.Series([[]], dtype=pl.List(pl.String))).alias("_shown")
