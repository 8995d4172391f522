"""Transported: ratings of completions that one judge rated, carried over to others that it did not, by likeness.

Source: PEARL (arXiv:2306.03615, sections 4.1 and 4.2: preferences of a source task moved to a target task by optimal
transport, with their variance); Cuturi 2013, arXiv:1306.0895 (Sinkhorn iterations).

The paper aligns tasks whose states have nothing in common (Gromov-Wasserstein). Completions are described by the same
cheap criteria in every task, so plain transport between these descriptions is enough, and it cannot end mirrored.

Use it where a dear judge has rated some tasks and cheap rules rate all. It is bad where the rules say nothing of what
the judge looks at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import scorer
from schemas.coins import coins
from tasks.scorers._panel import per, ratings
from tasks.scorers._quantile import finished

ROUNDS, CHUNK = 100, 2048
Floats = np.ndarray[Any, np.dtype[np.float64]]


@scorer(scope="dataset")
def transported(
    judgments: pl.DataFrame,
    completions: pl.DataFrame,
    *,
    label: str | None = None,
    features: tuple[str, ...],
    pool: int = 64,
    sharpness: float = 10.0,
    seed: int = 0,
    criterion: str = "transported",
) -> pl.DataFrame:
    """Returns a score for each completion that has all features and no label: its share of the pool's labels.

    A prompt's completions are matched to the pool as a whole, so that they spread over it. ``standard_error`` is the
    standard deviation of the labels a completion was matched to; ``judgments`` is the size of the pool.

    Args:
        label: criterion to be carried over; by default the label that the data brought with them.
        features: criteria that describe completions; standardised over all.
        pool: so many labelled completions, drawn by lot.
        sharpness: over the mean squared distance; larger ones match to fewer.
        criterion: the name of the scores.

    Raises:
        ValueError: no feature, the label among the features, or nothing has both label and features.
    """
    if not features or label in features or pool < 2 or not sharpness > 0:
        raise ValueError(f"features are {features}, label {label!r}, pool {pool}, sharpness {sharpness}")
    keys = ("prompt_id", "completion_id")
    mean = per(ratings(judgments).select(*keys, "criterion", "score"), *keys, "criterion").agg(pl.col("score").mean())
    rows = mean.select(*keys).unique()
    given = mean.filter(pl.col("criterion") == label).select("completion_id", f0="score") if label else (
        completions.select("completion_id", f0=pl.col("label").cast(pl.Float64)).drop_nulls()
    )  # fmt: skip
    rows = rows.join(given, on="completion_id", how="left")
    for place, name in enumerate(features, start=1):
        own = mean.filter(pl.col("criterion") == name).select("completion_id", pl.col("score").alias(f"f{place}"))
        rows = rows.join(own, on="completion_id", how="left")
    columns = [f"f{place}" for place in range(1, len(features) + 1)]
    rows = rows.drop_nulls(columns).sort(*keys)
    rows = rows.with_columns(_standard(pl.col(name)) for name in columns)
    known, unknown = rows.filter(pl.col("f0").is_not_null()), rows.filter(pl.col("f0").is_null())
    if unknown.height and not known.height:
        raise ValueError(
            f"no completion has a label ({label or 'its own'}) and a rating by all of {', '.join(features)}"
        )
    toss = pl.Series(coins(seed, known["completion_id"], "transported"), dtype=pl.Float64)
    known = known.with_columns(toss=toss).sort("toss").head(pool)
    found, spread = _carried(unknown, known, columns, sharpness)
    scored = unknown.select(
        *keys, criterion=pl.lit(criterion), score=pl.Series(found, dtype=pl.Float64),
        standard_error=pl.Series(spread, dtype=pl.Float64), judgments=pl.lit(known.height),
    )  # fmt: skip
    return finished(scored, "transported")


def _carried(unknown: pl.DataFrame, known: pl.DataFrame, columns: list[str], sharpness: float) -> tuple[Floats, Floats]:
    """Returns the mean and the standard deviation of the labels each row is matched to; prompts of one size at once."""
    here, there, labels = unknown.select(columns).to_numpy(), known.select(columns).to_numpy(), known["f0"].to_numpy()
    mean, spread = np.zeros(len(here)), np.zeros(len(here))
    size = unknown.select(pl.len().over("prompt_id")).to_series().to_numpy()
    for k in np.unique(size):
        places = np.flatnonzero(size == k).reshape(-1, k)
        for begin in range(0, len(places), CHUNK):
            own = places[begin : begin + CHUNK]
            cost = ((here[own][:, :, None, :] - there[None, None, :, :]) ** 2).sum(axis=-1)
            plan = matched(np.exp(-sharpness * cost / max(float(cost.mean()), 1e-12)))
            mean[own] = plan @ labels
            spread[own] = np.sqrt(np.maximum(plan @ labels**2 - (plan @ labels) ** 2, 0.0))
    return mean, spread


def matched(kernel: Floats) -> Floats:
    """Returns transport plans as shares: rows sum to 1, and all rows together take each column about equally.

    Args:
        kernel: plan x row x column, at least 0; a row of zeros is spread evenly.
    """
    kernel = kernel + 1e-30
    column = np.ones((kernel.shape[0], kernel.shape[2]))
    for _ in range(ROUNDS):
        row = 1 / np.einsum("brc,bc->br", kernel, column)
        column = (kernel.shape[1] / kernel.shape[2]) / np.einsum("brc,br->bc", kernel, row)
    plan: Floats = kernel * row[:, :, None] * column[:, None, :]
    plan /= plan.sum(axis=2, keepdims=True)
    return plan


def _standard(value: pl.Expr) -> pl.Expr:
    differ = value.max() > value.min()  # the deviation of equal numbers need not be 0 to the last digit
    return pl.when(differ).then((value - value.mean()) / value.std(ddof=0)).otherwise(0.0)
