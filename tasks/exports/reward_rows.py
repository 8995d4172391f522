"""Sampled answers with rewards and advantages, several a prompt, for policy-gradient trainers and pointwise losses.

Source: PPO (arXiv:1707.06347), RLOO (arXiv:2402.14740), ReMax (arXiv:2310.10505: less the greedy answer's reward), APA
(arXiv:2306.02231: advantages), DRO (arXiv:2405.19107), Contrastive Policy Gradient (arXiv:2406.19185).

Use it for policy-gradient and pointwise losses on given samples. It is bad for trainers that sample for themselves: see
``verl_prompts``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.notes import note
from tasks.exports._chat import conditioned, finite, plain, refuse

SIDES = ("prompt", "completion")


@export
def reward_rows(examples: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    """Returns one row an example with its prompt, completion, reward and advantage, by prompt_id, then example_id.

    ``samples`` is how many rows the prompt has. ``advantage`` is what the recipe noted, else null. ``truncated`` says
    that the answer ran into its length limit; ``logprob`` is the sampler's, over ``completion_tokens``.

    Raises:
        ValueError: an example has no reward, or a message is more than text.
    """
    sampled = completions.select(
        "completion_id", "logprob", "completion_tokens", truncated=pl.col("finish_reason") == "length"
    )
    refuse(examples, "example_id", pl.col("reward").is_null(), "there is no reward")
    rows = plain(conditioned(finite(examples, "example_id")), "example_id", *SIDES)
    rows = rows.join(sampled, on="completion_id", how="left").sort("prompt_id", "example_id")
    return rows.select(
        "prompt_id", *SIDES, "reward", "label", "weight", advantage=note("advantage", pl.Float64),
        truncated="truncated", logprob="logprob", completion_tokens="completion_tokens",
        samples=pl.len().over("prompt_id").cast(pl.Int64),
    )  # fmt: skip
