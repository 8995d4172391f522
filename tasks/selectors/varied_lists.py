"""The prompts whose completions' rewards vary most, each with its list of rewards.

Source: Reinforcement Learning with One Training Example (arXiv:2504.20571, section 2: examples ranked by the variance
of their accuracy).

Use it to find the prompts that a policy can still learn from. It is bad with few samples a prompt, and high variance
may be a bad verifier.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(makes="rankings", scope="dataset")
def varied_lists(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    share: float = 1.0,
    most: int | None = None,
    least: int = 2,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one list a prompt, for the prompts of highest reward variance; ``meta`` holds variance, mean and place.

    The variance is that of all scored completions, equal texts counted each, as pass rates are; the list holds a text
    once. Prompts of no variance teach nothing and are left out. Of equal variances the lowest prompt id goes first.

    Args:
        share: of the prompts with some variance. most: at most so many of them.
        least: a prompt needs so many scored completions.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a parameter is out of its range, or it is unclear which scores count.
    """
    if not 0 < share <= 1 or (most is not None and most < 1) or least < 2:
        raise ValueError(f"share is {share}, most {most}, least {least}; share in (0, 1], most 1 or more, least 2")
    apart = completions.with_columns(content_id=pl.col("completion_id"))
    rows = candidates(apart, scores, criterion=criterion, truncated=truncated)
    measured = rows.group_by("prompt_id").agg(
        variance=pl.col("score").var(ddof=0), mean=pl.col("score").mean(), size=pl.len()
    )
    measured = measured.filter(pl.col("size") >= least, pl.col("variance") > 0)
    measured = measured.sort("variance", "prompt_id", descending=[True, False]).with_row_index("place", offset=1)
    limit = round(share * measured.height)
    measured = measured.head(limit if most is None else min(most, limit))
    once = candidates(completions, scores, criterion=criterion, truncated=truncated)
    lists = (
        once.sort("group", "score", "row", descending=[False, True, False])
        .group_by("prompt_id", maintain_order=True)
        .agg(
            pl.col("criterion").first(), completion_ids=pl.col("completion_id"), rewards=pl.col("score"),
            ranks=pl.col("score").rank("min", descending=True).cast(pl.Int64),
        )
        .join(measured, on="prompt_id", maintain_order="left")
    )  # fmt: skip
    notes = {name: pl.col(name) for name in ("variance", "mean", "size", "place")}
    return noted(lists, **notes).drop(notes)
