"""The numbers of a preference dataset that plots are drawn from.

Source: length preference as in Dubois et al. 2024, arXiv:2404.04475; distinct-n of Li et al. 2016, arXiv:1510.03055;
margins and strengths as in arXiv:2401.06080.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from tasks.reports._statistics import Rate, wilson

BINS = 24
FEW = 12
"""Values of fewer kinds than this are counted one by one."""
RANDOM = 10
SAMPLE = 20_000
_TURN = pl.element().struct.field("content").fill_null("")


def figures(pairs: pl.LazyFrame) -> dict[str, Any]:
    """Returns counts, histograms and rates of the pairs; what a dataset does not say is left out.

    Args:
        pairs: ``pair_id``, ``prompt_id``, ``chosen`` and ``rejected`` (messages); further columns of the preferences
            table where there are any.
    """
    names = pairs.collect_schema().names()
    numbers = [name for name in ("margin", "strength", "p_chosen", "weight") if name in names]
    lengths = [pl.col(side).list.eval(_TURN.str.len_chars()).list.sum().alias(side) for side in ("chosen", "rejected")]
    lean = pairs.select("prompt_id", *numbers, *lengths).collect(engine="streaming")
    return {
        "pairs": lean.height,
        "prompts": lean["prompt_id"].n_unique(),
        "pairs_a_prompt": round(lean.height / max(1, lean["prompt_id"].n_unique()), 3),
        "lengths": {side: _spread(lean[side]) for side in ("chosen", "rejected")},
        "length_choice": length_choice(lean["chosen"], lean["rejected"]),
        "histograms": {name: found for name in numbers if (found := histogram(lean[name]))},
        "distinct": _distinct(pairs),
        "shares": {name: _mix(pairs, name) for name in ("source", "split", "criterion", "level") if name in names},
    }


def length_choice(chosen: pl.Series, rejected: pl.Series) -> dict[str, Any]:
    """Returns how often the longer of two texts was chosen, in all and by how much longer it is.

    Args:
        chosen, rejected: characters of the texts. Equal lengths are counted, but in no share.
    """
    one, other = (series.cast(pl.Float64).to_numpy() for series in (chosen, rejected))
    longer, unequal = one > other, one != other
    ratio = np.maximum(one, other) / np.maximum(np.minimum(one, other), 1)
    bands = ((1, 1.25), (1.25, 1.5), (1.5, 2), (2, 3), (3, math.inf))
    logs = np.clip(np.log2(np.maximum(one, 1) / np.maximum(other, 1)), -3, 3)
    counts, edges = np.histogram(logs, bins=BINS, range=(-3, 3))
    return {
        "all": _rate(longer[unequal]),
        "ratio_1.5": _rate(longer[unequal & (ratio >= 1.5)]),
        "equal": int((~unequal).sum()),
        "by_ratio": [
            {"from": low, "to": None if high == math.inf else high, **_rate(longer[unequal & band])}
            for low, high in bands
            for band in [(ratio >= low) & (ratio < high)]
        ],
        "log2_ratio": {"edges": edges.tolist(), "counts": counts.tolist()},
    }  # fmt: skip


def _rate(hits: Any) -> dict[str, Any]:
    found: Rate = wilson(float(hits.sum()), len(hits))
    return found._asdict()


def histogram(values: pl.Series) -> dict[str, Any] | None:
    """Returns edges and counts of the values that are there, with mean and median; null where there are none.

    Values of few kinds are counted by value. The outermost bins hold what lies beyond the middle 99 %.
    """
    there = values.drop_nulls().drop_nans().cast(pl.Float64)
    if not len(there):
        return None
    known = {"n": len(there), "missing": len(values) - len(there), "mean": there.mean(), "median": there.median()}
    kinds = there.unique().sort()
    if len(kinds) <= FEW:
        by_value = there.value_counts().sort(there.name)
        return {**known, "values": kinds.to_list(), "counts": by_value["count"].to_list()}
    data = there.to_numpy()
    low, high = np.quantile(data, [0.005, 0.995])
    if low == high:
        low, high = data.min(), data.max()
    counts, edges = np.histogram(np.clip(data, low, high), bins=BINS, range=(low, high))
    return {**known, "edges": edges.tolist(), "counts": counts.tolist()}


def _spread(values: pl.Series) -> dict[str, float | None]:
    quantiles = {f"p{round(100 * q)}": values.quantile(q) for q in (0.05, 0.5, 0.95)}
    mean = values.cast(pl.Float64).mean()
    return {"mean": float(mean) if isinstance(mean, float) else None, **quantiles}


def _distinct(pairs: pl.LazyFrame) -> dict[str, float | None]:
    """Returns the share of different words and word pairs among those of a sample of chosen answers."""
    said = pairs.select("pair_id", text=pl.col("chosen").list.eval(_TURN).list.join(" "))
    sample = said.sort("pair_id").head(SAMPLE // 10).select("text").collect()["text"]
    words = sample.str.to_lowercase().str.extract_all(r"\w+").to_list()
    found: dict[str, float | None] = {}
    for n in (1, 2):
        grams = [tuple(text[i : i + n]) for text in words for i in range(len(text) - n + 1)]
        found[f"distinct_{n}"] = round(len(set(grams)) / len(grams), 4) if grams else None
    return found


def _mix(pairs: pl.LazyFrame, name: str) -> list[dict[str, Any]]:
    counts = pairs.group_by(pl.col(name).alias("value")).len("pairs").sort("pairs", "value", descending=[True, False])
    return counts.head(FEW).collect().to_dicts()
