"""Lists of answers with their rewards, best first, for losses over whole lists.

Source: LiPO (arXiv:2402.01878, section 3.1), PRO (arXiv:2306.17492), RRHF (arXiv:2304.05302), InfoNCA
(arXiv:2402.05369), EXO with rewards (arXiv:2402.00856).

Use it for losses over lists. It is bad for pair trainers: see ``trl_dpo``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import finite, plain, refuse, spoken_once


@export
def list_rows(rankings: pl.DataFrame, completions: pl.DataFrame, *, length: int | None = None) -> pl.DataFrame:
    """Returns prompt, completions, rewards, ranks, length and sft_index, the place of the best; by ranking_id.

    Args:
        length: what all lists must have, for trainers that stack them.

    Raises:
        ValueError: a list is of another length, has not one reward a text, or more than text was said.
    """
    count = pl.col("completions").list.len()
    refuse(rankings, "ranking_id", pl.col("rewards").list.len().fill_null(0) != count, "there is not one reward a text")
    if length is not None:
        refuse(rankings, "ranking_id", count != length, f"the list has not {length} answers; `ranked_lists` has length")
    rows = plain(spoken_once(finite(rankings, "ranking_id"), completions), "ranking_id", "prompt")
    best = pl.col("rewards").list.arg_max().cast(pl.Int64)
    return rows.select("prompt", "completions", "rewards", "ranks", length=count.cast(pl.Int64), sft_index=best)
