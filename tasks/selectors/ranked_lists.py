"""Each prompt's completions as one list, best first, with their rewards.

Source: LiPO (arXiv:2402.01878, section 3.1: lists with graded labels); PRO (arXiv:2306.17492, section 3.2: lists in
strictly falling order); InfoNCA (arXiv:2402.05369, section 4: softmax labels).

Use it for losses over lists, which see more than the two ends. It is bad with noisy scores: the middle of a list is
mostly noise.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(makes="rankings")
def ranked_lists(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    length: int | None = None,
    least: int = 2,
    strict: bool = False,
    softmax: float | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one list a prompt: ids, rewards and ranks from best to worst (ties: by id, with the same rank).

    ``meta`` says whether there are ties. Lists of fewer than two distinct rewards are left out: they order nothing.

    Args:
        length: lists of exactly so many, the best ones; prompts with fewer are left out. By default all there are.
        least: fewer than these make no list.
        strict: of equal rewards only the one with the lowest id, so that rewards fall strictly.
        softmax: rewards become softmax(reward / softmax) over the list; ties stay ties.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a parameter is out of its range, or it is unclear which scores count.
    """
    if least < 2 or (length is not None and length < 2) or (softmax is not None and not softmax > 0):
        raise ValueError(f"least is {least}, length {length}, softmax {softmax}; lists need two, softmax is above 0")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    if strict:
        rows = rows.unique(["group", "score"], keep="first", maintain_order=True)
    rows = rows.sort("group", "score", "row", descending=[False, True, False])
    if length is not None:
        place, size = pl.int_range(pl.len()).over("group"), pl.len().over("group")
        rows = rows.filter(size >= length, place < length)
    power = (pl.col("score") - pl.col("score").max()) / (softmax or 1.0)
    reward = pl.col("score") if softmax is None else power.exp() / power.exp().sum()
    lists = rows.group_by("group", maintain_order=True).agg(
        pl.col("prompt_id").first(), pl.col("criterion").first(), completion_ids=pl.col("completion_id"),
        rewards=reward, ranks=pl.col("score").rank("min", descending=True).cast(pl.Int64),
        distinct=pl.col("score").n_unique(), size=pl.len(),
    )  # fmt: skip
    lists = lists.filter(pl.col("size") >= least, pl.col("distinct") > 1)
    return noted(lists, ties=pl.col("distinct") < pl.col("size")).drop("group", "distinct", "size")
