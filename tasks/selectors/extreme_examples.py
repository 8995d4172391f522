"""Of each prompt's completions the few whose rewards are most to be trusted: the best, with another or without.

Source: PF-PPO (arXiv:2409.06957, section 3.2: best of n, best and random, best and worst, chosen by the R^2 between
reward and outcome).

Use it where the reward model is right at its ends and a coin in between. It is bad where it is wrong at the top, as
with length or flattery: look at R^2 first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import noted
from tasks.selectors._candidates import candidates

FILTERS = ("best", "best_random", "best_worst")


@selector(makes="examples", scope="dataset")
def extreme_examples(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    keep: Literal["best", "best_random", "best_worst", "most_reliable"] = "best_random",
    outcome: str | None = None,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one or two completions a prompt with their rewards; ``meta`` says which filter kept them and its R^2.

    R^2 is that of a straight line from reward to outcome over the completions that the filter keeps, null where either
    does not vary or no outcome is known.

    Args:
        keep: ``most_reliable`` takes the filter with the highest R^2 (ties: best, best_random, best_worst).
        outcome: criterion of the true outcome (unit tests), for R^2.
        seed: of the random one, which depends on its id alone and is never the best.
        criterion: of the reward, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: most_reliable without an outcome or without any R^2; it is unclear which scores count.
    """
    reward = scores if outcome is None else scores.filter(pl.col("criterion") != outcome)
    rows = candidates(completions, reward, criterion=criterion, truncated=truncated)
    rows = rows.with_columns(coin=pl.Series(coins(seed, rows["completion_id"], "extreme"), dtype=pl.Float64))
    actual = scores.filter(pl.col("criterion") == (outcome or ""), pl.col("score").is_finite())
    rows = rows.join(
        actual.select("completion_id", actual="score"), on="completion_id", how="left", maintain_order="left"
    )
    kept = {name: rows.filter(pl.col("row").is_in(_rows(rows, name).implode())) for name in FILTERS}
    fits = {name: fit(frame["score"], frame["actual"]) for name, frame in kept.items()}
    chosen: str = keep
    if keep == "most_reliable":
        known = {name: value for name, value in fits.items() if value is not None}
        if not known and rows.height:
            raise ValueError("no filter has an R^2: give outcome, a criterion that varies over the completions")
        chosen = max(known, key=lambda name: known[name]) if known else "best"
    made = kept[chosen].select("prompt_id", "completion_id", "criterion", reward="score")
    return noted(made, kept_by=pl.lit(chosen), filter_r2=pl.lit(fits[chosen], pl.Float64))


def _rows(rows: pl.DataFrame, keep: str) -> pl.Series:
    """Returns the numbers of the rows that a filter keeps; of a prompt with one completion that one."""
    row, score = pl.col("row"), pl.col("score")
    best = row.get(score.arg_max())
    coin = pl.when(row != best).then("coin")
    second = {"best": best, "best_worst": row.get(score.arg_min()), "best_random": row.get(coin.arg_min())}[keep]
    found = rows.group_by("group").agg(best=best, second=second)
    return pl.concat([found["best"], found["second"].alias("best")]).drop_nulls().unique()


def fit(reward: pl.Series, outcome: pl.Series) -> float | None:
    """Returns R^2 of the straight line from reward to outcome, over the rows that have both; null if one is constant.

    >>> round(fit(pl.Series([3.0, 2.5, -1, -2]), pl.Series([1.0, 1, 0, 0])), 4)
    0.9666
    """
    known = outcome.is_not_null().to_numpy()
    one, other = reward.to_numpy()[known].astype(float), outcome.to_numpy()[known].astype(float)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1] ** 2)
