"""Splits by prompt cluster: no prompt has a near-duplicate in another split.

Source: Lee et al. 2022, arXiv:2107.06499 (near-duplicates between training and test sets inflate evaluations).

Use it last, whenever a dataset is to be published with a held-out part. It is bad where all prompts are of one
template: they are then one cluster, and one split gets them all; raise the threshold there.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import relabeler
from schemas.ids import coin
from tasks.texts.minhash import clusters


@relabeler(scope="dataset", texts=True)
def prompt_clusters(
    preferences: pl.DataFrame,
    *,
    test: float = 0.05,
    validation: float = 0.0,
    threshold: float = 0.6,
    n: int = 3,
    unit: Literal["words", "characters"] = "words",
    seed: int = 0,
) -> pl.DataFrame:
    """Returns the preferences with ``split`` train, validation or test: a coin for each cluster of prompts.

    Prompts are in one cluster when a chain of near-duplicates links them. Shares are met on average, not exactly; the
    coin depends on the cluster's first prompt id alone.

    Args:
        test, validation: shares of the clusters.
        threshold: least Jaccard similarity that links two prompts; lower than a filter's, for leaks are worse.
        n: words or characters a shingle. seed: of the coin.
    """
    if test < 0 or validation < 0 or test + validation >= 1:
        raise ValueError(f"test {test} and validation {validation} must be shares that leave something to train on")
    said = pl.element().struct.field("content").fill_null("")
    prompts = (
        preferences.select("prompt_id", text=pl.col("prompt").list.eval(said).list.join("\n\n"))
        .unique("prompt_id", keep="first")
        .sort("prompt_id")
    )
    first = clusters(prompts["text"], threshold=threshold, n=n, unit=unit)
    names = prompts["prompt_id"].gather(first)
    coins = [coin(seed, "split", name) for name in names]
    split = ["test" if c < test else "validation" if c < test + validation else "train" for c in coins]
    splits = prompts.select("prompt_id").with_columns(split=pl.Series(split, dtype=pl.String))
    columns = preferences.columns if "split" in preferences.columns else [*preferences.columns, "split"]
    joined = preferences.drop("split", strict=False).join(splits, on="prompt_id", maintain_order="left")
    return joined.select(columns)
