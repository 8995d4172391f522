"""The share of a completion's comparisons that it won in both orders.

Source: win rates over sampled answers, SPO (arXiv:2401.04056, section 3); both-order agreement as in MT-bench
(arXiv:2306.05685, section 3.4).

Use it where every two answers of a prompt were compared. It is bad with few or uneven comparisons: who met the weak
ones looks strong (see ``bradley_terry``).
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._quantile import finished


@scorer
def win_rate(judgments: pl.DataFrame, *, ties: Literal["half", "none"] = "half") -> pl.DataFrame:
    """Returns one score in [0, 1] a completion and criterion: wins over comparisons that count.

    Only comparisons count whose two orders agree on a winner, or (``ties="half"``) both say tie, which is half a win
    to each; where the judge's probability is known, its mean over both orders counts instead. A contradicted or
    incomplete comparison counts as nothing, so a completion with no other has no row. ``judgments`` is the number of
    comparisons; ``standard_error`` is their sample standard deviation over its square root, null for one.
    """
    counted = ("agreed", "tied") if ties == "half" else ("agreed",)
    duel = ["prompt_id", "criterion", "comparison_id"] + [n for n in ("judge", "fingerprint") if n in judgments.columns]
    probability = (pl.col("probability") if "probability" in judgments.columns else pl.lit(None)).cast(pl.Float64)
    duels = (
        judgments.filter((pl.col("kind") == "pairwise") & pl.col("comparison").is_in(counted))
        .with_columns(_first=pl.col("subjects").list.first(), _sure=probability)
        .select(*duel, "subjects", "winner", "comparison", "_first", "_sure")
        .explode("subjects")
    )
    own = pl.when(pl.col("subjects") == pl.col("_first")).then("_sure").otherwise(1 - pl.col("_sure"))
    named = (
        pl.when(pl.col("comparison") == "tied")
        .then(0.5)
        .otherwise((pl.col("winner") == pl.col("subjects")).cast(float))
    )
    each = duels.select(*duel, completion_id="subjects", won=pl.coalesce(own, named))
    one = each.sort(*duel, "completion_id", "won").group_by(*duel, "completion_id", maintain_order=True)
    scored = (
        one.agg(pl.col("won").mean())
        .select("prompt_id", "criterion", "completion_id", "won")
        .sort("prompt_id", "completion_id", "criterion", "won")
        .group_by("prompt_id", "completion_id", "criterion", maintain_order=True)
        .agg(
            judgments=pl.len(),
            standard_error=pl.col("won").std(ddof=1) / pl.len().sqrt(),
            score=pl.col("won").mean(),
        )
    )
    return finished(scored, "win_rate")
