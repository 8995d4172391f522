"""Every scored completion with its advantage over the others of its prompt, for policy-gradient trainers.

Source: RLOO (arXiv:2402.14740, section 3.2: reward less the mean of the others); OREAL (arXiv:2502.06781, section 3.2:
groups all right or all wrong are dropped, wrong ones weigh half); GRPO (arXiv:2402.03300, section 4.1).

Use it for policy-gradient trainers that take rewards as they are. It is bad with two or three samples a prompt, whose
mean is noise, and for trainers that compute advantages themselves.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(makes="examples")
def advantages(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    baseline: Literal["others", "mean", "standardised"] = "others",
    keep_constant: bool = False,
    right: float = 0.5,
    wrong_weight: float = 1.0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one example a completion: reward, label, weight, and in ``meta`` its advantage.

    Equal texts count each, as samples do. A lone completion has no others: its advantage is 0.

    Args:
        baseline: the mean of the others, the mean of all, or the mean of all over their standard deviation
            (population; 0 where there is none).
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
    if not keep_constant:
        rows = rows.filter(pl.col("score").n_unique().over("group") > 1)
    score, size = pl.col("score"), pl.len().cast(pl.Int64).over("group")
    mean, sd = score.mean().over("group"), score.std(ddof=0).over("group")
    over = {
        "others": pl.when(size > 1).then((score - mean) * size / (size - 1)).otherwise(0.0),
        "mean": score - mean,
        "standardised": pl.when(sd > 0).then((score - mean) / sd).otherwise(0.0),
    }[baseline]
    made = rows.select(
        "prompt_id", "completion_id", "criterion", label=score > right, reward=score,
        weight=pl.when(score > right).then(1.0).otherwise(wrong_weight), _advantage=over,
    )  # fmt: skip
    return noted(made, advantage=pl.col("_advantage")).drop("_advantage")
