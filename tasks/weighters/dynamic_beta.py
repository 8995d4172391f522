"""Dynamic beta: a factor for the trainer's beta that grows with the reward gap.

Source: MM-RLHF (arXiv:2502.10391, section 4.3: beta * (1 + w * (1 - exp(-k * gap))), w 0.5, k 0.5; the authors' script
has beta * (1 + w * gap), w 0.1, instead).

Use it for trainers that take beta from the row. It is bad at rewards whose scale differs from prompt to prompt.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter
def dynamic_beta(
    preferences: pl.DataFrame,
    *,
    form: Literal["bounded", "linear"] = "bounded",
    beta: float = 0.1,
    w: float = 0.5,
    k: float = 0.5,
    least: float = 1e-3,
) -> pl.DataFrame:
    """Returns the preferences with ``beta`` in ``meta``, null where there is no margin; a margin of 0 gives beta.

    Args:
        form: ``bounded`` is the paper's and stays below beta * (1 + w); ``linear`` is the script's.
        k: steepness of the bounded form.
        least: smaller ones are set to this.
    """
    gap = pl.col("margin").clip(lower_bound=0.0)
    grown = 1 - (-k * gap).exp() if form == "bounded" else gap
    return noted(preferences, beta=(beta * (1 + w * grown)).clip(lower_bound=least))
