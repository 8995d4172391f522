"""Prompts with what checks their answers as verl's policy-gradient trainers read them, with rewards seen so far.

Source: verl (arXiv:2409.19256), rl_dataset: data_source, prompt, ability, reward_model.ground_truth, extra_info.

Use it where verl samples for itself and checks answers by a rule. It is bad at prompts without a reference answer,
which it cannot check.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import plain, refuse
from tasks.exports._rewards import rewarded


@export
def verl_prompts(
    scores: pl.DataFrame, prompts: pl.DataFrame, *, style: Literal["rule", "model"] = "rule",
    criterion: str | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Returns data_source, prompt, ability, reward_model (style, ground_truth) and extra_info, by prompt_id.

    ``extra_info`` holds index, split, prompt_id, and the rewards of the samples there are with their mean.

    Args:
        style: ``rule`` needs a reference answer (or tests) to check against; ``model`` needs none.
        criterion: whose scores are the rewards, where there are several.

    Raises:
        ValueError: a prompt has nothing to check against, it is unclear which scores count, or a message is more than
            text.
    """
    truth = pl.coalesce("reference", "tests")
    rows = rewarded(scores, prompts, criterion)
    if style == "rule":
        refuse(
            rows, "prompt_id", truth.is_null(), "there is no reference answer to check against; style is 'model' then"
        )
    rows = plain(rows, "prompt_id", "messages").with_row_index("index")
    return rows.select(
        data_source=pl.col("source").fill_null("pairwright"), prompt="messages", ability=pl.col("task").fill_null(""),
        reward_model=pl.struct(style=pl.lit(style), ground_truth=truth.fill_null("")),
        extra_info=pl.struct(
            pl.col("index").cast(pl.Int64), "prompt_id", "rewards", "mean_reward",
            split=pl.col("split").fill_null("train"),
        ),
    )  # fmt: skip
