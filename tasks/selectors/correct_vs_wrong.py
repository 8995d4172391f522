"""A right completion of each prompt against a wrong one.

Source: iterative reasoning preference optimisation (arXiv:2404.19733, section 2): pairs of right and wrong answers.

Use it for tasks with a verifier. It is bad at right answers reached the wrong way, and silent on prompts always or
never solved.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from tasks.selectors._candidates import candidates, first_of_each, pairs


@selector
def correct_vs_wrong(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    threshold: float = 0.5,
    per_prompt: int | None = None,
    reuse: bool = False,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns pairs of the k-th right with the k-th wrong completion of a prompt, in the order of their ids.

    Ids are digests, so their order favours nothing. A prompt with r right and w wrong texts gives min(r, w) pairs, each
    text in one of them.

    Args:
        threshold: right is above it, wrong is below it; a score equal to it is neither.
        per_prompt: at most so many pairs a prompt, the first ones.
        reuse: begin the smaller side again until the larger is used up: max(r, w) pairs.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: per_prompt is below 1, or it is unclear which scores count.
    """
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    place, count = pl.int_range(pl.len()).over("group"), pl.len().cast(pl.Int64).over("group")
    right = rows.filter(pl.col("score") > threshold).select("group", "row", place=place, count=count)
    wrong = rows.filter(pl.col("score") < threshold).select("group", "row", place=place, count=count)
    if reuse:
        right, wrong = _repeated(right, wrong), _repeated(wrong, right)
    met = right.join(wrong, on=["group", "place"], suffix="_wrong").sort("group", "place")
    met = first_of_each(met, per_prompt)
    return pairs(rows, met["row"], met["row_wrong"])


def _repeated(side: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows of a prompt begun again until they are as many as the other side's; none without another."""
    wanted = other.select("group", wanted="count").unique("group")
    times = pl.max_horizontal((pl.col("wanted") + pl.col("count") - 1) // pl.col("count"), 1)
    again = side.join(wanted, on="group").with_columns(turn=pl.int_ranges(0, times)).explode("turn")
    return again.select("group", "row", place=pl.col("place") + pl.col("turn") * pl.col("count"))
