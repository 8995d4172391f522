"""Contradictions: takes out pairs that another pair of the prompt says the opposite of, directly or round a cycle.

Source: Condorcet cycles in preference data (Xu et al. 2025, arXiv:2502.14074: judges are not transitive).

Use it after selectors over several criteria or judges. It is bad as a measure of quality: noise contradicts itself only
where pairs are many.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals


@row_filter
def contradictory_pairs(
    preferences: pl.DataFrame, *, cycles: bool = True, keep: Literal["none", "wider"] = "none"
) -> pl.DataFrame:
    """Returns the removals of pairs on a cycle of preferences within their prompt: row_id, reason, the two completions.

    Args:
        cycles: also cycles of three and more; else only a pair and its mirror.
        keep: ``wider`` leaves of a pair and its mirror the one with the wider margin, where one is wider.
    """
    apart = preferences.filter(pl.col("chosen_id") != pl.col("rejected_id"))  # the others are ``identical_texts``
    rows = apart.select("prompt_id", "chosen_id", "rejected_id", "margin", row_id="pair_id").sort("row_id")
    mirror = rows.select(
        "prompt_id", chosen_id="rejected_id", rejected_id="chosen_id", other=pl.col("margin").fill_null(0)
    ).group_by("prompt_id", "chosen_id", "rejected_id").agg(pl.col("other").max())  # fmt: skip
    rows = rows.join(mirror, on=["prompt_id", "chosen_id", "rejected_id"], how="left", maintain_order="left")
    wins = pl.col("margin").fill_null(0) > pl.col("other") if keep == "wider" else pl.lit(False)
    mirrored = pl.when(pl.col("other").is_not_null() & ~wins).then(pl.lit("the mirror of another pair"))
    rows = rows.with_columns(reason=mirrored)
    if cycles:
        circular = _on_cycles(rows.filter(pl.col("reason").is_null()))
        on_one = pl.when(pl.col("row_id").is_in(circular.implode())).then(pl.lit("on a cycle"))
        rows = rows.with_columns(pl.coalesce("reason", on_one).alias("reason"))
    value = pl.concat_str([pl.col("chosen_id"), pl.lit(" > "), pl.col("rejected_id")])
    return removals(rows.select("row_id", "reason", value=value))


def _on_cycles(rows: pl.DataFrame) -> pl.Series:
    """Returns the pairs whose two completions can reach each other: they lie in one strong component."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    names = pl.concat([rows["prompt_id"] + " " + rows[side] for side in ("chosen_id", "rejected_id")])
    numbers = names.rank("dense").cast(pl.Int64).to_numpy() - 1
    one, other = numbers[: rows.height], numbers[rows.height :]
    if not rows.height:
        return rows["row_id"]
    size = int(numbers.max()) + 1
    graph = coo_array((np.ones(rows.height, np.int8), (one, other)), shape=(size, size)).tocsr()
    _, component = connected_components(graph, connection="strong")
    return rows["row_id"].filter(pl.Series(component[one] == component[other]))
