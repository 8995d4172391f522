"""Prompts with their reference answers as OpenRLHF's policy-gradient trainers read them, with rewards seen so far.

Source: OpenRLHF (arXiv:2405.11143), prompts_dataset: --input_key, --label_key, --apply_chat_template, datasource.

Use it where OpenRLHF samples for itself. It is bad at passing on answers: it holds prompts and rewards alone.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import plain
from tasks.exports._rewards import rewarded


@export
def openrlhf_prompts(scores: pl.DataFrame, prompts: pl.DataFrame, *, criterion: str | None = None) -> pl.DataFrame:
    """Returns input as a list of {role, content}, label, datasource and the prompt's rewards, by prompt_id.

    To be read with ``--input_key input --label_key label --apply_chat_template``; ``label`` is the reference answer,
    empty where there is none.

    Args:
        criterion: whose scores are the rewards, where there are several.

    Raises:
        ValueError: it is unclear which scores count, or a message is more than text.
    """
    rows = plain(rewarded(scores, prompts, criterion), "prompt_id", "messages")
    return rows.select(
        "prompt_id", "rewards", "mean_reward", input="messages", label=pl.col("reference").fill_null(""),
        datasource=pl.col("source").fill_null("default"),
    ).select("input", "label", "datasource", "prompt_id", "rewards", "mean_reward")  # fmt: skip
