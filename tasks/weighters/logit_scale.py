"""Logit scale: pairs whose chosen is wholly right pull harder than those between two wrong ones.

Source: TRPA (arXiv:2504.04524, training code: the logit is multiplied by 2.5 where the winner is of the first level).

Use it for losses that take a factor of the logit. It is bad as a weight of the loss, which it is not.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter
def logit_scale(preferences: pl.DataFrame, *, at_least: float, factor: float = 2.5) -> pl.DataFrame:
    """Returns the preferences with ``logit_scale`` in ``meta``: the factor where the chosen's score reaches the bound.

    It is 1 elsewhere, null where there is no score.

    Args:
        at_least: of ``chosen_score``.

    Raises:
        ValueError: factor is not above 0.
    """
    if not factor > 0:
        raise ValueError(f"factor is {factor}; it must be above 0")
    score = pl.col("chosen_score")
    return noted(preferences, logit_scale=pl.when(score >= at_least).then(factor).when(score.is_not_null()).then(1.0))
