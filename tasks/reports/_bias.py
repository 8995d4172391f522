"""What a judge prefers for reasons other than quality: the place, the length, its own model, some other model.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.3 (position, verbosity, self-enhancement); Panickssery et al.
2024, arXiv:2404.13076 (self-preference); Dubois et al. 2024, arXiv:2404.04475 (length).

A preference is only a bias where it goes beyond that of the gold labels on the same items: people also prefer the
longer of two answers, and the better model's.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from tasks.reports._frames import PAIR
from tasks.reports._statistics import NOTHING, Z95, Rate, wilson

LEAST = 0.05
"""A bias smaller than this is not named, however many items prove it."""


def position(rows: pl.DataFrame) -> dict[str, Any]:
    """Returns how often the first shown wins, and the bias: that share less what it should be.

    Where both orders were judged the share should be one half. Where only one was, the bias is half the difference
    between the accuracy when the better one stood first and when it stood second; without gold labels it is null,
    since place and quality cannot be told apart.
    """
    decided = rows.filter(pl.col("read").is_in(PAIR), pl.col("swapped").is_not_null()).with_columns(
        first_shown=(pl.col("read") == "first") != pl.col("swapped"),
        better_first=(pl.col("label") == "first") != pl.col("swapped"),
    )
    both = decided.filter(pl.col("swapped").n_unique().over("item_id", "trial") == 2)
    if both.height:
        share = wilson(int(both["first_shown"].sum()), both.height)
        return {"first_shown": share, "bias": _shifted(share, -0.5), "reason": None}
    known = decided.filter(pl.col("label").is_in(PAIR))
    counts = [
        (int(part["first_shown"].sum()), part.height)
        for part in (known.filter("better_first"), known.filter(~pl.col("better_first")))
    ]
    share = wilson(int(decided["first_shown"].sum()), decided.height)
    if any(n == 0 for _, n in counts):
        why = "one order only and no gold label on both sides: place and quality cannot be told apart"
        return {"first_shown": share, "bias": NOTHING, "reason": why if decided.height else "order not known"}
    shares = [hits / n for hits, n in counts]
    error = math.sqrt(sum(share * (1 - share) / n for share, (_, n) in zip(shares, counts, strict=True))) / 2
    bias = (shares[0] + shares[1] - 1) / 2
    return {"first_shown": share, "bias": Rate(bias, bias - Z95 * error, bias + Z95 * error, known.height),
            "reason": None}  # fmt: skip


def _shifted(rate: Rate, by: float) -> Rate:
    if rate.value is None or rate.low is None or rate.high is None:
        return rate
    return Rate(rate.value + by, rate.low + by, rate.high + by, rate.n)


def longer_share(rows: pl.DataFrame, column: str, *, least_ratio: float = 1.0) -> Rate:
    """Returns the share of decided rows whose winner is the longer one; equal lengths are left out."""
    known = _decided_lengths(rows, column).filter(
        pl.max_horizontal("first_chars", "second_chars")
        >= least_ratio * pl.min_horizontal("first_chars", "second_chars")
    )
    return wilson(int(known["longer_won"].sum()), known.height)


def _decided_lengths(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    first_longer = pl.col("first_chars") > pl.col("second_chars")
    return rows.filter(
        pl.col(column).is_in(PAIR), pl.col("first_chars") != pl.col("second_chars")
    ).with_columns(longer_won=(pl.col(column) == "first") == first_longer)  # fmt: skip


def length(rows: pl.DataFrame) -> dict[str, Any]:
    """Returns how often the longer one wins, by the judge and by the gold label, and by how much they differ."""
    both = rows.filter(pl.col("read").is_in(PAIR), pl.col("label").is_in(PAIR))
    judge = _decided_lengths(both, "read")["longer_won"].cast(pl.Float64)
    gold = _decided_lengths(both, "label")["longer_won"].cast(pl.Float64)
    clusters = _decided_lengths(both, "read")["item_id"]
    return {
        "longer_won": longer_share(rows, "read"),
        "longer_won_1.5": longer_share(rows, "read", least_ratio=1.5),
        "gold_longer_won": longer_share(rows.unique("item_id", maintain_order=True), "label"),
        "bias": mean_difference(clusters, judge - gold),
    }


def mean_difference(clusters: pl.Series, differences: pl.Series, *, z: float = Z95) -> Rate:
    """Returns a mean with its normal interval from cluster sums; null with fewer than two clusters."""
    sums = pl.DataFrame({"cluster": clusters, "d": differences}).group_by("cluster").agg(
        pl.col("d").sum(), pl.len().alias("n")
    )  # fmt: skip
    n = int(sums["n"].sum()) if sums.height else 0
    if sums.height < 2:
        return Rate(None, None, None, n)
    mean = float(differences.mean() or 0.0)  # type: ignore[arg-type]
    residuals = (sums["d"] - mean * sums["n"]).to_numpy()
    error = math.sqrt(float(np.sum(residuals**2)) * sums.height / (sums.height - 1)) / n
    return Rate(mean, mean - z * error, mean + z * error, n)


def identity(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Returns policy -> its win rate by the judge (a tie is half a win), by the gold label, and the difference.

    The interval of the difference is widened for the number of policies looked at (Bonferroni).
    """
    long = pl.concat(
        [
            rows.filter(pl.col("first_policy") != pl.col("second_policy")).select(
                "item_id", policy=f"{side}_policy", judge=_won("read", side), gold=_won("label", side)
            )
            for side in PAIR
        ]
    ).drop_nulls("policy")
    names = sorted(long["policy"].unique().to_list())
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, len(names)))
    found = {}
    for name in names:
        mine = long.filter(pl.col("policy") == name)
        both = mine.drop_nulls(["judge", "gold"])
        found[name] = {
            "win_rate": mine["judge"].mean(), "gold_win_rate": both["gold"].mean(), "comparisons": mine.height,
            "bias": mean_difference(both["item_id"], both["judge"] - both["gold"], z=z),
        }  # fmt: skip
    return found


def _won(column: str, side: str) -> pl.Expr:
    other = "second" if side == "first" else "first"
    return pl.col(column).replace_strict(
        {side: 1.0, other: 0.0, "tie": 0.5}, default=None, return_dtype=pl.Float64
    )  # fmt: skip


def is_biased(rate: Rate) -> bool:
    """Returns whether the interval leaves out nought and the bias is large enough to matter."""
    if rate.value is None or rate.low is None or rate.high is None:
        return False
    return abs(rate.value) >= LEAST and (rate.low > 0 or rate.high < 0)
