"""Preference pairs as TRL's reward trainer loads them, with the margin that its loss takes off the difference.

Source: TRL, RewardTrainer: prompt, chosen, rejected and an optional ``margin``; the loss with a margin is that of
Llama 2 (arXiv:2307.09288, section 3.2.2, equation 2).

Use it where TRL trains a reward model. It is bad with margins of unlike scales, which the loss takes as they are.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import SIDES, finite, joined, plain, refuse


@export
def trl_reward(
    preferences: pl.DataFrame, *, by: Literal["none", "margin", "strength"] = "none", scale: float = 1.0
) -> pl.DataFrame:
    """Returns prompt, chosen and rejected as ``trl_dpo`` does, and ``margin`` where one is wanted; by pair_id.

    Args:
        by: what the margin is made of, in units of the reward to be learnt. scale: what it is multiplied by.

    Raises:
        ValueError: a message is more than text, or a pair has no margin: the trainer takes all or none.
    """
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    if by == "none":
        return rows.select(SIDES)
    refuse(rows, "pair_id", pl.col(by).is_null(), f"there is no {by}; the trainer takes a margin for all or for none")
    return rows.select(*SIDES, margin=pl.col(by) * scale)
