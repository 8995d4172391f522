"""On-policy weight: how likely both texts of a pair are under the policy to be trained.

Source: WPO (arXiv:2406.11827, section 3.2: product of the two length-normalised probabilities; equation 5: aligned by
the sum of squared token probabilities, so that what the policy itself samples weighs about 1).

Use it to make old pairs count as if they were sampled now. It goes stale as the policy moves, and it is bad where
probabilities come from another model than the one to be trained.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter
from schemas.notes import note


@weighter
def on_policy_weight(
    preferences: pl.DataFrame, completions: pl.DataFrame, *, aligned: Literal["sampled", "none"] = "sampled"
) -> pl.DataFrame:
    """Returns the preferences with ``weight`` = min(1, exp(a_chosen + a_rejected)), null where one a is not known.

    a is the mean over tokens of log p(token), less, where aligned, log of the sum of squares of all probabilities at
    that place.

    Args:
        completions: ``logprob`` and ``completion_tokens``; and, where aligned, ``collision`` in ``meta``, the mean over
            tokens of the log of that sum, which a sampler notes when it is asked for alternatives.
    """
    mean = pl.col("logprob") / pl.col("completion_tokens")
    over = mean if aligned == "none" else mean - note("collision", pl.Float64)
    known = completions.filter(pl.col("completion_tokens") > 0).select("completion_id", a=over)
    rows = preferences.select("pair_id", "chosen_id", "rejected_id")
    for side in ("chosen", "rejected"):
        own = known.rename({"completion_id": f"{side}_id", "a": side})
        rows = rows.join(own, on=f"{side}_id", how="left", maintain_order="left")
    weight = (rows["chosen"] + rows["rejected"]).exp().clip(upper_bound=1.0)
    return preferences.with_columns(weight=weight)
