"""The best completion of each prompt against several worse ones, each with the degree of the preference.

Source: Self-supervised Preference Optimization (arXiv:2409.17791, section 3: responses of several preference degrees,
whose degree the model learns to tell).

Use it for losses that learn how much better, not only that it is better. It is bad with scores on a coarse scale, which
give few degrees.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates, pairs


@selector
def degrees(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    degrees: int = 3,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns up to ``degrees`` pairs a prompt: its best over completions at evenly spaced lower scores.

    ``level`` is the degree, 1 the weakest, ``degrees`` that against the worst; a prompt with fewer distinct scores has
    only the stronger degrees. Of equal scores the lowest id counts.

    Args:
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: degrees is below 1, or it is unclear which scores count.
    """
    if degrees < 1:
        raise ValueError(f"degrees is {degrees}; at least one is needed")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    distinct = rows.unique(["group", "score"], keep="first", maintain_order=True)
    rank = pl.col("score").rank("dense", descending=True).over("group").cast(pl.Int64) - 1
    distinct = distinct.with_columns(rank=rank).with_columns(lowest=pl.col("rank").max().over("group"))
    lower = distinct.filter(pl.col("rank") > 0)
    # degree d of D stands at rank round(d * lowest / D); a rank is taken by its highest degree alone
    places = lower.join(pl.DataFrame({"degree": list(range(1, degrees + 1))}), how="cross")
    exact = (2 * pl.col("degree") * pl.col("lowest") + degrees) // (2 * degrees)
    places = places.filter(pl.max_horizontal(exact, 1) == pl.col("rank"))
    places = places.group_by("group", "row", maintain_order=True).agg(degree=pl.col("degree").max())
    best = distinct.filter(pl.col("rank") == 0).select("group", best="row")
    met = places.join(best, on="group").sort("best", "row")
    found = pairs(rows, met["best"], met["row"]).with_columns(level=met["degree"].cast(pl.String))
    return noted(found, degrees=pl.lit(degrees))
