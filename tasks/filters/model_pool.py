"""A few models a prompt, drawn from a pool of many whose completions are all at hand.

Source: UltraFeedback (arXiv:2310.01377, section 2.2: four of seventeen models a prompt); Tulu 3 (arXiv:2411.15124,
section 5.1: four of twenty-two, one of them the policy for on-policy rows).

Use it to draw varied models from completions that are all at hand. It is bad for one policy's data: nothing is left to
draw.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from schemas.coins import coins


@row_filter
def model_pool(
    completions: pl.DataFrame, *, models: int = 4, always: list[str] | None = None, seed: int = 0
) -> pl.DataFrame:
    """Returns the removals of completions by policies that were not drawn for their prompt.

    Args:
        models: policies a prompt, those in ``always`` included.
        always: policies that are in every draw where they have a completion: the policy to be trained.
        seed: of the draw, which depends on prompt and policy alone.

    Raises:
        ValueError: models is below 1.
    """
    if models < 1:
        raise ValueError(f"models is {models}; at least one must be drawn")
    kinds = completions.select("prompt_id", "policy").unique().sort("prompt_id", "policy")
    names = kinds["prompt_id"] + "\0" + kinds["policy"]
    toss = pl.Series(coins(seed, names, "model_pool"), dtype=pl.Float64)
    first = pl.col("policy").is_in(always or [])
    kinds = kinds.with_columns(toss=pl.when(first).then(-1.0).otherwise(toss)).sort("prompt_id", "toss", "policy")
    drawn = kinds.group_by("prompt_id", maintain_order=True).head(models).select("prompt_id", "policy")
    out = completions.join(drawn, on=["prompt_id", "policy"], how="anti").sort("completion_id")
    return out.select(row_id="completion_id", reason=pl.lit("not drawn from the pool"), value="policy")
