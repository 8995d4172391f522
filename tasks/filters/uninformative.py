"""Uninformative prompts: takes out pairs of prompts whose samples hardly differ, and tell a learner nothing.

Source: DAPO (arXiv:2503.14476, section 3.2: groups without variance have no gradient); learnability of
arXiv:2502.12272 (the variance of success); examples ranked by variance (arXiv:2504.20571, section 2).

Use it where samples are scored many to a prompt. It is bad with two or three samples: their variance is chance.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals


@row_filter(scope="dataset")
def uninformative(
    preferences: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    least: float = 0.0,
    keep: float = 1.0,
    samples: int = 2,
    criterion: str | None = None,
) -> pl.DataFrame:
    """Returns the removals of pairs whose prompt's scores vary too little: row_id, reason, the variance.

    Of right and wrong the variance is p (1 - p), p the pass rate. A prompt with fewer scores than ``samples`` stays.

    Args:
        least: variance that a prompt must exceed.
        keep: share of the measured prompts that stay at most, the most varied ones; of equal ones the lowest id.
        samples: scored completions from which a variance is one.
        criterion: which scores count, where there are several.

    Raises:
        ValueError: a parameter is out of its range, or it is unclear which scores count.
    """
    if least < 0 or not 0 < keep <= 1 or samples < 2:
        raise ValueError(f"least {least} must not be below 0, keep {keep} in (0, 1], samples {samples} 2 or more")
    own = scores if criterion is None else scores.filter(pl.col("criterion") == criterion)
    kinds = own.select("criterion", "scorer").unique().sort("criterion", "scorer")
    if kinds.height > 1:
        found = ", ".join(f"{name} ({by})" for name, by in kinds.iter_rows())
        raise ValueError(f"there are scores of several kinds: {found}; set criterion to one")
    spread = own.group_by("prompt_id").agg(variance=pl.col("score").var(ddof=0), size=pl.len())
    pairs = preferences.select("prompt_id").unique()
    measured = spread.filter(pl.col("size") >= samples).join(pairs, on="prompt_id", how="semi")
    measured = measured.sort("variance", "prompt_id", descending=[True, False]).with_row_index("place")
    limit = round(keep * measured.height)
    reason = (
        pl.when(pl.col("variance") <= least).then(pl.lit("its prompt's scores hardly vary"))
        .when(pl.col("place") >= limit).then(pl.lit("other prompts' scores vary more"))
    )  # fmt: skip
    rows = preferences.select("pair_id", "prompt_id").join(measured, on="prompt_id")
    return removals(rows.select(row_id="pair_id", reason=reason, value=pl.col("variance").round(6).cast(pl.String)))
