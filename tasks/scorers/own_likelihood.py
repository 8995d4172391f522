"""Own likelihood: how likely a completion was to the policy that gave it, a token.

Source: CycleAlign (arXiv:2310.16271, section 3.2: the white-box ranking by length-normalised log-probability); RRHF
(arXiv:2304.05302, section 3.1).

Use it as the policy's own opinion beside a judge's. It is bad across policies, whose probabilities are not comparable.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._quantile import finished


@scorer
def own_likelihood(completions: pl.DataFrame, *, criterion: str = "likelihood") -> pl.DataFrame:
    """Returns log-probability over tokens for each completion that has both."""
    known = completions.filter(pl.col("logprob").is_finite(), pl.col("completion_tokens") > 0)
    scored = known.select(
        "prompt_id", "completion_id", criterion=pl.lit(criterion), judgments=pl.lit(1),
        score=pl.col("logprob") / pl.col("completion_tokens"), standard_error=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return finished(scored, "own_likelihood")
