"""Length charged: what an answer earns less what its length costs, against a budget or against its fellows.

Source: L1 (arXiv:2503.04697, section 3: correct - alpha * |length - target|, alpha 0.0003); GRPO-lambda
(arXiv:2505.18086, section 3: a length penalty only where enough of the group is right).

Use it to teach a length without paying for it with right answers. It is bad at scores whose size means nothing.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from schemas.notes import note
from tasks.scorers._panel import per, ratings
from tasks.scorers._quantile import finished


@scorer
def length_charged(
    judgments: pl.DataFrame,
    completions: pl.DataFrame,
    *,
    of: str = "correct",
    price: float = 0.0003,
    target: int | None = None,
    at_least_right: float | None = None,
    criterion: str = "charged",
) -> pl.DataFrame:
    """Returns for each judged completion its mean rating less ``price`` a token of distance from the target.

    The target is the budget the sampler noted in ``meta`` (a condition that is a number), else ``target``; with neither
    the completion has no score. A completion whose tokens were not counted has none either.

    Args:
        of: the criterion that earns.
        price: of a token too many or too few.
        target: tokens; 0 charges for every token.
        at_least_right: charge only in prompts of which this share of completions is rated above 1/2.
        criterion: the name of the result.
    """
    keys = ("prompt_id", "completion_id")
    mean = per(ratings(judgments).filter(pl.col("criterion") == of).select(*keys, "score"), *keys).agg(
        earned=pl.col("score").mean(), judgments=pl.len()
    )
    budget = note("condition").cast(pl.Int64, strict=False).fill_null(pl.lit(target, pl.Int64))
    rows = mean.join(completions.select("completion_id", "completion_tokens", budget=budget), on="completion_id")
    rows = rows.filter(pl.col("budget").is_not_null(), pl.col("completion_tokens").is_not_null())
    cost = price * (pl.col("completion_tokens") - pl.col("budget")).abs()
    if at_least_right is not None:
        cost = pl.when((pl.col("earned") > 0.5).mean().over("prompt_id") >= at_least_right).then(cost).otherwise(0.0)
    scored = rows.select(
        *keys, "judgments", criterion=pl.lit(criterion), score=pl.col("earned") - cost,
        standard_error=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return finished(scored, "length_charged")
