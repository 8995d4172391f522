"""Every scored completion with its share of its prompt's tilted distribution: softmax of the rewards.

Source: BRAIn (arXiv:2402.02479, section 3.2: self-normalised importance weights); offline alignment (arXiv:2308.12050,
section 3: filtered, reward-weighted and reward-conditioned training).

Use it for weighted imitation: every sample counts, the better ones more. It is bad with a low temperature, which leaves
one sample a prompt, and with scores on unlike scales.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(makes="examples", scope="dataset")
def weighted_examples(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    temperature: float = 1.0,
    off_policy: bool = False,
    filtered: float | None = None,
    conditioning: str | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one example a completion: reward, and as ``weight`` exp(reward / temperature) over the prompt's sum.

    Args:
        temperature: in units of the reward.
        off_policy: the samples' policy is not the one to be tilted: multiply by exp(reference_logprob - logprob); a
            completion that lacks one of them is left out.
        filtered: ``label`` is true for this share of all completions, those of highest reward (ties: all of them).
        conditioning: text with ``{reward}`` in it, to go into the prompt.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: temperature is not above 0, filtered is no share, or it is unclear which scores count.
    """
    if not temperature > 0 or (filtered is not None and not 0 < filtered <= 1):
        raise ValueError(f"temperature is {temperature}, filtered {filtered}; they must be above 0 and in (0, 1]")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    power = pl.col("score") / temperature
    if off_policy:
        both = completions.select("completion_id", "logprob", "reference_logprob").drop_nulls()
        rows = rows.join(both, on="completion_id", maintain_order="left")
        power += pl.col("reference_logprob") - pl.col("logprob")
    tilted = (pl.col("power") - pl.col("power").max().over("group")).exp()
    rows = rows.with_columns(power=power)
    made = rows.select(
        "prompt_id", "completion_id", "criterion", reward="score", weight=tilted / tilted.sum().over("group")
    )
    if filtered is not None:
        bar = made["reward"].sort(descending=True)[max(round(filtered * made.height), 1) - 1] if made.height else None
        made = made.with_columns(label=pl.col("reward") >= pl.lit(bar, pl.Float64))
    if conditioning is not None:
        made = made.with_columns(conditioning=_said(conditioning, pl.col("reward")))
    size = pl.len().over("prompt_id")
    return noted(made, effective=1 / (pl.col("weight") ** 2).sum().over("prompt_id"), of=size)


def _said(text: str, reward: pl.Expr) -> pl.Expr:
    before, mark, after = text.partition("{reward}")
    if not mark:
        raise ValueError(f"conditioning is {text!r}; it needs {{reward}} in it")
    return pl.concat_str(pl.lit(before), reward.round(2).cast(pl.String), pl.lit(after))
