"""Against a baseline: a reward as the probability of beating reference answers to the same prompt.

Source: PAR (arXiv:2502.18770, section 4: mean over references of sigmoid(r - r_ref)); The Perfect Blend
(arXiv:2409.20370, section 4.1: rewards calibrated by a baseline's).

Use it to bound a reward model and to make prompts comparable. It is bad where the references are all far worse: then
everything is near 1.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import scorer
from schemas.notes import note
from tasks.scorers._panel import per, ratings
from tasks.scorers._quantile import finished


@scorer
def against_baseline(
    judgments: pl.DataFrame,
    completions: pl.DataFrame,
    *,
    baseline: str,
    by: Literal["policy", "condition"] = "policy",
    slope: float = 1.0,
    of: str = "overall",
    criterion: str = "calibrated",
) -> pl.DataFrame:
    """Returns for each rated completion the mean over the prompt's references of sigmoid(slope * (r - r_ref)).

    A prompt without a rated reference gives no scores. A reference is scored against all of them, itself included.

    Args:
        baseline: the policy, or the condition noted by the sampler, whose completions are the references.
        of: criterion of the reward. criterion: the name of the result.

    Raises:
        ValueError: slope is not above 0.
    """
    if not slope > 0:
        raise ValueError(f"slope is {slope}; it must be above 0")
    keys = ("prompt_id", "completion_id")
    mean = per(ratings(judgments).filter(pl.col("criterion") == of).select(*keys, "score"), *keys).agg(
        reward=pl.col("score").mean(), judgments=pl.len()
    )
    kind = pl.col("policy") if by == "policy" else note("condition")
    reference = completions.filter((kind == baseline).fill_null(False)).select("completion_id")
    references = mean.join(reference, on="completion_id").select("prompt_id", theirs="reward")
    met = mean.join(references, on="prompt_id")
    shaped = 1 / (1 + (slope * (pl.col("theirs") - pl.col("reward"))).exp())
    scored = per(met.with_columns(shaped=shaped), *keys).agg(
        score=pl.col("shaped").mean(), judgments=pl.col("judgments").first(),
        standard_error=pl.lit(None, pl.Float64).first(), criterion=pl.lit(criterion).first(),
    )  # fmt: skip
    return finished(scored, "against_baseline")
