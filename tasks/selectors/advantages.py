"""Every scored completion with its advantage over the others of its prompt, for policy-gradient trainers.

Source: RLOO (arXiv:2402.14740, section 3.2: reward less the mean of the others); OREAL (arXiv:2502.06781, section 3.2:
groups all right or all wrong are dropped, wrong ones weigh half); GRPO (arXiv:2402.03300, section 4.1); ReMax
(arXiv:2310.10505, section 4: less the reward of the greedy answer).

Use it for policy-gradient trainers that take rewards as they are. It is bad with two or three samples a prompt, whose
mean is noise, and for trainers that compute advantages themselves.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.notes import note, noted
from tasks.selectors._candidates import candidates
from tasks.selectors._sets import starts


@selector(makes="examples")
def advantages(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    baseline: Literal["others", "mean", "standardised", "greedy"] = "others",
    keep_constant: bool = False,
    right: float = 0.5,
    wrong_weight: float = 1.0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one example a completion: reward, label, weight, and in ``meta`` its advantage.

    Equal texts count each, as samples do. A lone completion has no others: its advantage is 0.

    Args:
        baseline: the mean of the others, the mean of all, the mean of all over their standard deviation (population; 0
            where there is none), or what the prompt's answer at temperature 0 got: that one is no example then, and a
            prompt without it makes none.
        keep_constant: keep prompts whose rewards are all the same.
        right: ``label`` is whether the reward is above this.
        wrong_weight: of examples that are not; the others weigh 1.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: it is unclear which scores count.
    """
    apart = completions.with_columns(content_id=pl.col("completion_id"))
    rows = candidates(apart, scores, criterion=criterion, truncated=truncated)
    if baseline == "greedy":
        cold = note("temperature", pl.Float64, column="sampling") == 0
        first = completions.filter(cold.fill_null(False))["completion_id"].implode()
        mine = pl.col("score").filter(pl.col("completion_id").is_in(first)).mean().over("group")
        rows = rows.with_columns(base=mine).filter(~pl.col("completion_id").is_in(first)).drop_nulls("base")
    if not keep_constant:
        rows = rows.filter(pl.col("score").n_unique().over("group") > 1)
    score = pl.col("score")
    over = rows["score"] - rows["base"] if baseline == "greedy" else _over(rows, baseline)
    made = rows.select(
        "prompt_id", "completion_id", "criterion", label=score > right, reward=score,
        weight=pl.when(score > right).then(1.0).otherwise(wrong_weight), _advantage=pl.Series(over, dtype=pl.Float64),
    )  # fmt: skip
    return noted(made, advantage=pl.col("_advantage")).drop("_advantage")


def _over(rows: pl.DataFrame, baseline: str) -> Any:
    """Returns each score's advantage; a prompt is summed by itself, so that others do not move its last digits."""
    score, begin = rows["score"].to_numpy(), starts(rows)
    if not len(score):
        return score
    size = np.diff(np.r_[begin, len(score)])
    each = np.repeat(size, size)
    gap = score - np.repeat(np.add.reduceat(score, begin) / size, size)
    gap[np.repeat(np.minimum.reduceat(score, begin) == np.maximum.reduceat(score, begin), size)] = 0.0
    if baseline == "others":
        return gap * each / np.maximum(each - 1, 1)
    if baseline == "mean":
        return gap
    sd = np.repeat(np.sqrt(np.add.reduceat(gap**2, begin) / size), size)
    return np.divide(gap, sd, out=np.zeros_like(gap), where=gap != 0)
