"""Single completions with a thumb up or down: unpaired feedback.

Source: KTO (arXiv:2402.01306, section 4.1: class weights so that n_D * lambda_D is 1 to 4/3 of n_U * lambda_U); AOT
(arXiv:2406.05882, section 3: unpaired positives and negatives in equal number); DRO (arXiv:2405.19107).

Use it for feedback without pairs, or prompts with answers all good or all bad. It is bad where pairs exist: a threshold
throws away what lies on one side of it.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from tasks.selectors._candidates import candidates

HIGHEST = 4 / 3


@selector(makes="examples", scope="dataset")
def labelled(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    threshold: float | Literal["mean", "median"] = 0.5,
    balance: Literal["none", "weights", "counts"] = "none",
    words: tuple[str, str] | None = None,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one example a completion: reward, and ``label``, whether it reaches the threshold.

    Args:
        threshold: of the score; or the mean or median of all candidates' scores.
        balance: ``weights`` gives the smaller weight needed to one class (the other has 1) so that the labels that are
            true weigh 1 to 4/3 of those that are false; ``counts`` leaves as many of the larger class, drawn by lot, as
            there are of the smaller.
        words: what is put into the prompt for false and for true, as a control token.
        seed: of the lot, which depends on the completion's id alone.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: it is unclear which scores count.
    """
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    score = pl.col("score")
    bar = {"mean": score.mean(), "median": score.median()}[threshold] if isinstance(threshold, str) else threshold
    rows = rows.with_columns(label=score >= bar)
    if balance == "counts":
        coin = pl.Series(coins(seed, rows["completion_id"], "labelled"), dtype=pl.Float64)
        place = pl.col("coin").rank("ordinal").over("label")
        few = min(int(rows["label"].sum()), rows.height - int(rows["label"].sum()))
        rows = rows.with_columns(coin=coin).filter(place <= few)
    made = rows.select("prompt_id", "completion_id", "criterion", "label", reward="score")
    if balance == "weights":
        good = int(made["label"].sum())
        up, down = class_weights(good, made.height - good)
        made = made.with_columns(weight=pl.when("label").then(up).otherwise(down))
    if words is not None:
        made = made.with_columns(conditioning=pl.when("label").then(pl.lit(words[1])).otherwise(pl.lit(words[0])))
    return made


def class_weights(good: int, bad: int) -> tuple[float, float]:
    """Returns the weights of desirable and undesirable examples: 1 and what is nearest to 1 within the paper's range.

    >>> class_weights(300, 200), class_weights(100, 400), class_weights(400, 100)
    ((1.0, 1.125), (1.0, 0.25), (1.0, 3.0))
    """
    if not good or not bad:
        return 1.0, 1.0
    ratio = good / bad
    return 1.0, min(max(1.0, ratio / HIGHEST), ratio)
