"""Pairs with everything a loss may weigh them by: weight, strength, margin, rewards, log-probabilities, beta.

Source: ScPO (arXiv:2411.04109), HelpSteer2-Preference (arXiv:2410.01257), WPO (arXiv:2406.11827), REBEL
(arXiv:2404.16767: rewards), MIPO (arXiv:2409.17545: reference log-probabilities), MM-RLHF (arXiv:2502.10391: a beta of
their own).

Use it for losses of your own that want everything known of a pair. It is bad with ready trainers, which ignore what
they do not know.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.notes import note
from tasks.exports._chat import SIDES, finite, joined, plain, refuse


@export
def weighted_pairs(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt, chosen and rejected, and what is known of each pair in numbers, one row a pair, by pair_id.

    ``weight`` is 1 where nobody set one; ``beta_factor`` is null there. ``ref_chosen_logps`` and ``ref_rejected_logps``
    are sums over the answer's tokens, under the names that TRL gives them.

    Raises:
        ValueError: a weight is below 0, or a message is more than text.
    """
    refuse(preferences, "pair_id", pl.col("weight") < 0, "weight is below 0")
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    return rows.select(
        *SIDES, pl.col("weight").fill_null(1.0), "strength", "strength_std", "margin", "p_chosen",
        beta_factor=pl.coalesce(note("beta", pl.Float64), note("logit_scale", pl.Float64)),
        chosen_reward="chosen_score", rejected_reward="rejected_score",
        chosen_logps="chosen_logprob", rejected_logps="rejected_logprob",
        ref_chosen_logps="chosen_reference_logprob", ref_rejected_logps="rejected_reference_logprob",
        chosen_tokens="chosen_tokens", rejected_tokens="rejected_tokens",
    )  # fmt: skip
