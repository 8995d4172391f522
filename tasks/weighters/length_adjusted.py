"""Length-adjusted margin: what is left of a margin once a regression has taken out what length alone predicts.

Source: length-controlled AlpacaEval (Dubois et al. 2024, arXiv:2404.04475: regress, then set the length term to zero);
Park et al. 2024, arXiv:2403.19159, section 3 (length as the confounder of preference data).

Use it where longer answers earn more because they are longer. It is bad where length and quality go together in truth:
the regression takes both out.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter(scope="dataset", texts=True)
def length_adjusted(preferences: pl.DataFrame, *, share: float = 1.0, least: int = 20) -> pl.DataFrame:
    """Returns the preferences with ``margin`` less what the logarithm of the ratio of lengths predicts.

    The regression has no intercept, so two answers of a length keep their margin, and turning a pair round negates what
    is taken off. The margin may become negative: the pair was preferred by less than its length explains; ``filter:
    weak_pairs`` with ``by: margin`` takes such pairs out. ``meta`` notes the old margin and the slope.

    Args:
        share: of the prediction that is taken off. least: with fewer measured pairs nothing is changed.
    """
    if not 0 <= share <= 1 or least < 2:
        raise ValueError(f"share {share} must be from 0 to 1, and least {least} 2 or more")
    said = pl.element().struct.field("content").fill_null("").str.len_chars()
    size = {side: pl.col(side).list.eval(said).list.sum().cast(pl.Float64) + 1 for side in ("chosen", "rejected")}
    rows = preferences.select("margin", ratio=(size["chosen"] / size["rejected"]).log())
    known = rows.drop_nulls().filter(pl.col("margin").is_finite())
    ratio, margin = known["ratio"].to_numpy(), known["margin"].to_numpy()
    squares = float(np.dot(ratio, ratio))
    slope = float(np.dot(ratio, margin)) / squares if len(ratio) >= least and squares > 0 else 0.0
    adjusted = preferences["margin"] - share * slope * rows["ratio"]
    marked = noted(preferences, plain_margin=pl.col("margin"), length_slope=pl.lit(slope))
    return marked.with_columns(margin=adjusted)
