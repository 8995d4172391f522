"""Preference pairs as OpenRLHF's reward and DPO datasets read them, with a margin where there is one.

Source: OpenRLHF (arXiv:2405.11143), reward_dataset: --apply_chat_template with prompt_key, chosen_key, rejected_key.

Use it where OpenRLHF trains reward models or DPO. It is bad at texts that end in line breaks: the trainer strips them.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import SIDES, finite, joined, plain, refuse


@export
def openrlhf_pairs(
    preferences: pl.DataFrame, *, margin: Literal["none", "margin", "strength"] = "none"
) -> pl.DataFrame:
    """Returns prompt, chosen and rejected as lists of {role, content}, and ``margin`` where one is wanted; by pair_id.

    To be read with ``--prompt_key prompt --chosen_key chosen --rejected_key rejected --apply_chat_template``. The
    trainer takes off line breaks at the end of a conversation.

    Args:
        margin: what its loss takes off the difference of rewards; a missing one would silently count as 0 there.

    Raises:
        ValueError: a message is more than text, or a pair has no margin.
    """
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    if margin == "none":
        return rows.select(SIDES)
    refuse(rows, "pair_id", pl.col(margin).is_null(), f"there is no {margin}, and the trainer would take 0 for it")
    return rows.select(*SIDES, margin=margin)
