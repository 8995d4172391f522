"""Soft-labelled pairs: how likely the chosen answer is the better one, as a probability and as its logit.

Source: MMPO (arXiv:2410.03145), SPPO (arXiv:2405.00675: both win rates), iREPO (arXiv:2405.15230: a logit as target),
conservative and robust DPO (arXiv:2403.00409).

Use it for losses that take a probability as the label. It is bad where nothing made ``p_chosen``: it refuses.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import SIDES, finite, joined, plain, refuse

LEAST = 1e-6
"""A probability nearer to 0 or 1 than this has no logit that a loss survives; it is taken as this far away."""


@export
def soft_pairs(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt, chosen, rejected, p_chosen, logit_target and both scores, one row a pair, by pair_id.

    Raises:
        ValueError: a pair has no p_chosen, or one outside [0, 1]; or a message is more than text.
    """
    p = pl.col("p_chosen")
    refuse(preferences, "pair_id", p.is_null(), "there is no p_chosen; a weighter or a relabeler of the recipe sets it")
    refuse(preferences, "pair_id", ~p.is_between(0, 1), "p_chosen is no probability")
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    held = p.clip(LEAST, 1 - LEAST)
    return rows.select(*SIDES, "p_chosen", "chosen_score", "rejected_score", logit_target=(held / (1 - held)).log())
