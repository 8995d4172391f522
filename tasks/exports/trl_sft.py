"""Reward-conditioned answers: a prompt that says what the answer is to be like, and the answer, for imitation.

Source: TRL, dataset formats: conversational prompt-completion; Rewards-in-Context (arXiv:2402.10207), Directional
Preference Alignment (arXiv:2402.18571), MEET (arXiv:2310.00603).

Use it for imitation under a condition. It is bad for preferences: the trainer sees no rejected answer.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import conditioned, finite, plain

SIDES = ("prompt", "completion")


@export
def trl_sft(examples: pl.DataFrame, *, kept: bool = True) -> pl.DataFrame:
    """Returns prompt and completion as lists of {role, content}, then goal, reward and weight; by example_id.

    ``goal`` is the condition that the prompt's system message says; the trainer reads the first two columns alone.

    Args:
        kept: leave out what is labelled false, as filtered imitation does; not where false is a condition of its own.

    Raises:
        ValueError: a message is more than text.
    """
    goal = pl.col("conditioning").fill_null("") != ""
    rows = finite(examples, "example_id").filter(goal | pl.col("label").fill_null(True)) if kept else examples
    rows = plain(conditioned(rows), "example_id", *SIDES)
    return rows.select(*SIDES, "reward", "weight", goal="conditioning")
