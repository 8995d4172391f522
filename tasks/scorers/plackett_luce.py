"""Plackett-Luce: one strength a completion, from whole rankings, with its standard error.

Source: Plackett 1975, Applied Statistics 24; Hunter 2004, doi:10.1214/aos/1079120141; LiPO, arXiv:2402.01878 (rankings
as labels); ties within a ranking after Breslow 1974.

Use it for listwise judges: it takes a ranking as one judgment, where breaking it into pairs counts it many times. It is
bad at judges who only get the top of a list right.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import scorer
from tasks.scorers._likelihood import lists
from tasks.scorers._panel import JUDGE, UNIT, finish, rankings


@scorer
def plackett_luce(
    judgments: pl.DataFrame, *, prior_std: float = 2.0, groups: dict[str, list[str]] | None = None
) -> pl.DataFrame:
    """Returns strengths in log-odds, summing to nought within a prompt; exp(strength) is the weight in Luce's choice.

    A judge has one voice, spread over its rankings (orders, repeats, pairs) of the same completions.

    Args:
        judgments: listwise (``meta.ranking``, best first) and pairwise, which is a ranking of two.
        prior_std: of the normal prior on a strength; smaller pulls harder towards nought.
        groups: group -> its judges; each group is scored apart, as ``plackett_luce:GROUP``.
    """
    if prior_std <= 0:
        raise ValueError(f"prior_std is {prior_std}, it must be above 0")
    rows = rankings(judgments, groups).with_columns(
        among=pl.col("tiers").list.eval(pl.element().explode()).list.sort().list.join("\n")
    )
    weighed = rows.with_columns(weight=pl.col("share") / pl.col("share").sum().over(*UNIT, *JUDGE, "among"))
    found: list[dict[str, Any]] = []
    for unit, part in weighed.sort(*UNIT, *JUDGE).group_by(UNIT, maintain_order=True):
        found += _of_unit(
            dict(zip(UNIT, unit, strict=True)),
            part["tiers"].to_list(),
            part["weight"].to_list(),
            part["share"].to_list(),
            prior_std,
        )
    kinds = dict.fromkeys([*UNIT, "completion_id"], pl.String)
    frame = pl.DataFrame(found, {**kinds, "score": pl.Float64, "standard_error": pl.Float64, "judgments": pl.Int64})
    return finish(frame, "plackett_luce")


def _of_unit(
    unit: dict[str, Any], tiers: list[list[list[str]]], weights: list[float], shares: list[float], prior_std: float
) -> list[dict[str, Any]]:
    names = sorted({name for ranking in tiers for tier in ranking for name in tier})
    place = {name: index for index, name in enumerate(names)}
    indexed = [[[place[name] for name in tier] for tier in ranking] for ranking in tiers]
    strengths = lists(indexed, weights, len(names), prior_std)
    counts = [
        round(sum(share for share, ranking in zip(shares, indexed, strict=True) for tier in ranking if index in tier))
        for index in range(len(names))
    ]
    return [
        unit | {"completion_id": name, "score": float(strengths.value[i]), "standard_error": float(strengths.error[i]),
                "judgments": counts[i]}
        for i, name in enumerate(names)
    ]  # fmt: skip
