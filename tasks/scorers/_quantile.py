"""The columns every scorer shares.

Source: the scores table.
"""

from __future__ import annotations

import polars as pl


def finished(frame: pl.DataFrame, scorer: str) -> pl.DataFrame:
    """Returns scores rows of a frame with prompt_id, completion_id, criterion, score, standard_error and judgments.

    Adds the scorer's name and ``quantile``: the share of the prompt's scored completions that lie below this one, ties
    and itself counted half, so 0.5 for a completion alone or all equal; in (0, 1).
    """
    place = (pl.col("score").rank("average") - 0.5) / pl.len()
    return (
        frame.with_columns(
            pl.col("judgments").cast(pl.Int64),
            scorer=pl.lit(scorer),
            quantile=place.over("prompt_id", "criterion"),
        )
        .select("completion_id", "prompt_id", "criterion", "scorer", "score", "judgments", "standard_error", "quantile")
        .sort("prompt_id", "completion_id", "criterion")
    )
