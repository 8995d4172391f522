"""Balance: takes pairs out of the groups that have too many.

Source: mixture balancing of Tulu 3 (arXiv:2411.15124, section 5.2) and UltraFeedback (arXiv:2310.01377, section 2.1).

Use it where one source, policy, task or length would drown the others. It is bad where the large group is large because
it matters: weights keep its rows.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from schemas.ids import coin
from tasks.filters._texts import removals


@row_filter(scope="dataset")
def balance(
    preferences: pl.DataFrame,
    prompts: pl.DataFrame,
    *,
    by: Literal["source", "task", "language", "policy", "length", "prompt"] = "source",
    most: int | None = None,
    times: float | None = None,
    buckets: int = 5,
    seed: int = 0,
) -> pl.DataFrame:
    """Returns the removals of pairs beyond what their group may have: row_id, reason, the group. Which go is a coin.

    Args:
        by: ``policy`` is the chosen answer's; ``length`` the chosen answer's tokens in ``buckets`` of equal width of
            the logarithm, pairs without a count in one of their own; ``prompt`` caps the pairs of a prompt.
        most: pairs a group may have. times: or so many times the median group; give one of the two.
        seed: of the coin.
    """
    if (most is None) == (times is None):
        raise ValueError("give either most (pairs a group) or times (of the median group)")
    group = {"policy": pl.col("chosen_policy"), "prompt": pl.col("prompt_id"), "length": _bucket(buckets)}.get(by)
    rows = preferences
    if group is None:
        rows = rows.drop(by, strict=False).join(prompts.select("prompt_id", by), on="prompt_id", how="left")
        group = pl.col(by)
    rows = rows.select(row_id="pair_id", group=group.fill_null("none"))
    sizes = rows.group_by("group").len()["len"]
    median = sizes.cast(pl.Float64).quantile(0.5) or 0.0
    cap = most if most is not None else int(median * (times or 0.0))
    coins = pl.Series([coin(seed, "balance", row) for row in rows["row_id"]], dtype=pl.Float64)
    rows = rows.with_columns(coin=coins)
    place = pl.struct("coin", "row_id").rank("ordinal").over("group")
    reason = pl.when(place > cap).then(pl.lit(f"{by} has more than {cap}"))
    return removals(rows.select("row_id", reason=reason, value="group"))


def _bucket(buckets: int) -> pl.Expr:
    size = pl.col("chosen_tokens").clip(1).log(2)
    width = (size.max() - size.min()) / buckets
    place = ((size - size.min()) / pl.when(width > 0).then(width).otherwise(1)).floor().clip(0, buckets - 1)
    return place.cast(pl.Int64).cast(pl.String)
