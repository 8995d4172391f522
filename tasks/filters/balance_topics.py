"""Balance of topics: takes pairs out of the clusters of prompts that have too many.

Source: cluster-balanced sampling of web data (Vo et al. 2024, arXiv:2405.15613); spherical k-means (Dhillon and Modha
2001), on tf-idf in fewer dimensions.

Use it on prompts of users, of which half ask for the same few things. It is bad where topics are what one wants many
of; look at what a cluster holds before it is cut.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from schemas.coins import coins
from tasks.filters._texts import removals, spoken
from tasks.texts.alike import centres
from tasks.texts.vectors import reduced, weighted


@row_filter(scope="dataset", texts=True)
def balance_topics(
    preferences: pl.DataFrame, *, topics: int = 50, times: float = 2.0, size: int = 64, seed: int = 0
) -> pl.DataFrame:
    """Returns the removals of pairs beyond ``times`` the median topic's: row_id, reason, the topic's name.

    A topic is named by the id of its most typical prompt. All pairs of a prompt go or stay together; which prompts go
    is a coin of their id.

    Args:
        topics: clusters, fewer where prompts are fewer than four a topic. size: dimensions in which they are found.
    """
    if topics < 1 or times < 1:
        raise ValueError(f"topics {topics} and times {times} must be 1 or more")
    asked = preferences.select("prompt_id", "prompt").unique("prompt_id", keep="first").sort("prompt_id")
    prompts = asked.select("prompt_id", text=spoken("prompt"))
    if prompts.height < 8:
        return removals(pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String}))
    rows = reduced(weighted(prompts["text"]), size)
    middle = centres(rows, min(topics, prompts.height // 4))
    cosine = rows @ middle.T
    own = cosine.argmax(axis=1)
    typical = {int(topic): prompts["prompt_id"][int(np.argmax(np.where(own == topic, cosine[:, topic], -2)))]
               for topic in np.unique(own)}  # fmt: skip
    counts = preferences.group_by("prompt_id").len("pairs")
    held = prompts.select("prompt_id", topic=pl.Series(own).replace_strict(typical, return_dtype=pl.String))
    held = held.with_columns(coin=pl.Series(coins(seed, held["prompt_id"], "topics"), dtype=pl.Float64))
    held = held.join(counts, on="prompt_id").sort("topic", "coin", "prompt_id")
    sizes = held.group_by("topic").agg(pl.col("pairs").sum())["pairs"]
    cap = int(times * float(np.median(sizes.to_numpy())))
    gone = held.filter(pl.col("pairs").cum_sum().over("topic") > cap)
    found = preferences.select("pair_id", "prompt_id").join(gone, on="prompt_id")
    reason = pl.lit(f"its topic has more than {cap} pairs")
    return removals(found.select(row_id="pair_id", reason=reason, value="topic"))
