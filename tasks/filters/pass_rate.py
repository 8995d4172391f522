"""Pairs of prompts that are too easy or too hard.

Source: OREAL (arXiv:2502.06781, section 3.4: prompts whose samples are all right or all wrong are dropped); pass-rate
windows of online RL, e.g. DAPO (arXiv:2503.14476, section 3.2).

Use it to leave out prompts that teach nothing, always or never solved. It is bad with few samples: a prompt solved once
of four may be at 5 or at 60 %.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter


@row_filter
def pass_rate(
    preferences: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    above: float = 0.0,
    below: float = 0.8,
    right: float = 0.5,
    criterion: str | None = None,
) -> pl.DataFrame:
    """Returns the removals of pairs whose prompt's pass rate is not above one bound and below the other.

    ``value`` is the rate. A prompt without scores has none and its pairs stay.

    Args:
        scores: of all the prompt's completions. right: a completion passes whose score is above this.
        criterion: which scores count, where there are several.

    Raises:
        ValueError: the window is empty, or it is unclear which scores count.
    """
    if not above < below:
        raise ValueError(f"nothing lies above {above} and below {below}")
    own = scores if criterion is None else scores.filter(pl.col("criterion") == criterion)
    kinds = own.select("criterion", "scorer").unique().sort("criterion", "scorer")
    if kinds.height > 1:
        found = ", ".join(f"{name} ({by})" for name, by in kinds.iter_rows())
        raise ValueError(f"there are scores of several kinds: {found}; set criterion to one")
    rates = own.group_by("prompt_id").agg(rate=(pl.col("score") > right).mean())
    rows = preferences.select("pair_id", "prompt_id").join(rates, on="prompt_id")
    reason = (
        pl.when(pl.col("rate") <= above).then(pl.lit("too hard")).when(pl.col("rate") >= below).then(pl.lit("too easy"))
    )
    found_rows = rows.select(row_id="pair_id", reason=reason, value=pl.col("rate").round(4).cast(pl.String))
    return found_rows.filter(pl.col("reason").is_not_null()).sort("row_id")
