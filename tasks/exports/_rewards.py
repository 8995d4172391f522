"""Prompts with the rewards that their samples got.

Source: the scores and prompts tables.
"""

from __future__ import annotations

import polars as pl

from tasks.exports._chat import finite


def rewarded(scores: pl.DataFrame, prompts: pl.DataFrame, criterion: str | None) -> pl.DataFrame:
    """Returns the prompts that have scores, with ``rewards`` by completion_id and ``mean_reward``.

    Raises:
        ValueError: there are scores of several kinds and no criterion is named, or none of the one that is.
    """
    kinds = scores["criterion"].unique().sort().to_list()
    if criterion is not None and criterion not in kinds:
        raise ValueError(f"there are no scores by {criterion!r}; there are {', '.join(kinds) or 'none'}")
    if criterion is None and len(kinds) > 1:
        raise ValueError(f"there are scores by {', '.join(kinds)}; name the criterion that is the reward")
    rows = finite(scores, "completion_id").filter(pl.col("criterion") == (criterion or (kinds or [""])[0]))
    if rows["completion_id"].is_duplicated().any():
        raise ValueError(
            "several scorers scored the same completions; a recipe with one scorer says what the reward is"
        )
    found = rows.drop_nulls("score").sort("completion_id").group_by("prompt_id").agg(
        rewards="score", mean_reward=pl.col("score").mean()
    )  # fmt: skip
    return prompts.join(found, on="prompt_id", how="inner").sort("prompt_id")
