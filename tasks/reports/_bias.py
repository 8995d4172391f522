"""What a judge prefers for reasons other than quality: the place, the length, its own model, some other model.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.3 (position, verbosity, self-enhancement); Panickssery et al.
2024, arXiv:2404.13076 (self-preference); Dubois et al. 2024, arXiv:2404.04475 (length).

People also prefer the longer of two answers, and the better model's, so a preference is no bias by itself. Two things
are measured: the bias proper, half the difference between a judge's accuracy where the favoured side is the better one
and where it is the worse one (nought for a fair judge and for a coin), and the difference between the judge's and the
gold labels' preference on the same items (nought where it is as strong as people's). Where only one of them shows,
noise in the judge or in the labels explains it; a finding needs both.
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
    """Returns how often the longer one wins, by the judge and by the gold label, and the bias towards it."""
    first_longer = pl.col("first_chars") > pl.col("second_chars")
    unlike = rows.filter(pl.col("first_chars") != pl.col("second_chars")).with_columns(
        judge=pl.when(first_longer).then(_won("read", "first")).otherwise(_won("read", "second")),
        gold=pl.when(first_longer).then(_won("label", "first")).otherwise(_won("label", "second")),
    )
    return {
        "longer_won": longer_share(rows, "read"),
        "longer_won_1.5": longer_share(rows, "read", least_ratio=1.5),
        "gold_longer_won": longer_share(rows.unique("item_id", maintain_order=True), "label"),
        **favour(unlike),
    }


def favour(rows: pl.DataFrame, *, z: float = Z95) -> dict[str, Rate]:
    """Returns ``bias`` and ``beyond_gold``; ``judge`` and ``gold`` are 1 for the favoured side, 1/2 for a tie."""
    known = rows.drop_nulls(["judge", "gold"])
    return {
        "bias": _conditional(known.filter(pl.col("gold") != 0.5), z),
        "beyond_gold": mean_difference(known["item_id"], known["judge"] - known["gold"], z=z),
    }


def _conditional(rows: pl.DataFrame, z: float) -> Rate:
    """Returns (P(favours | favoured is better) + P(favours | favoured is worse) - 1) / 2."""
    sides = [rows.filter(pl.col("gold") == better) for better in (1.0, 0.0)]
    if min(side.height for side in sides) < 2:
        return Rate(None, None, None, rows.height)
    means = [float(side["judge"].mean() or 0.0) for side in sides]  # type: ignore[arg-type]
    influence = pl.concat(
        [
            side.select("item_id", d=(pl.col("judge") - mean) / side.height)
            for side, mean in zip(sides, means, strict=True)
        ]
    )
    error = math.sqrt(float((influence.group_by("item_id").agg(pl.col("d").sum())["d"] ** 2).sum())) / 2
    bias = (sum(means) - 1) / 2
    return Rate(bias, bias - z * error, bias + z * error, rows.height)


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
        found[name] = {
            "win_rate": mine["judge"].mean(), "gold_win_rate": mine.drop_nulls(["judge", "gold"])["gold"].mean(),
            "comparisons": mine.height, **favour(mine, z=z),
        }  # fmt: skip
    return found


def _won(column: str, side: str) -> pl.Expr:
    other = "second" if side == "first" else "first"
    return pl.col(column).replace_strict(
        {side: 1.0, other: 0.0, "tie": 0.5}, default=None, return_dtype=pl.Float64
    )  # fmt: skip


def is_biased(bias: Rate, beyond_gold: Rate | None = None) -> bool:
    """Returns whether the interval leaves out nought and the bias matters; both measures where there are two."""
    if beyond_gold is not None:
        return is_biased(bias) and is_biased(beyond_gold) and (bias.value or 0) * (beyond_gold.value or 0) > 0
    if bias.value is None or bias.low is None or bias.high is None:
        return False
    return abs(bias.value) >= LEAST and (bias.low > 0 or bias.high < 0)
