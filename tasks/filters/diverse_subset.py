"""Diverse subset: keeps a few prompts that lie as far apart as can be.

Source: k-centre greedy of core-set selection (Sener and Savarese 2018, arXiv:1708.00489, algorithm 1; Gonzalez 1985: at
most twice the best radius); diversity of preference data under a budget, SEA (arXiv:2411.01493).

Use it to choose what people or a dear judge shall label, or for a small set that still holds everything. It is bad on
dirty data: outliers lie far apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from schemas.coins import coins
from tasks.filters._texts import removals, spoken
from tasks.texts.vectors import Floats, from_file, parquet_files, reduced, weighted
from tasks.texts.words import Ints


@row_filter(scope="dataset", texts=True, files=("vectors",))
def diverse_subset(
    preferences: pl.DataFrame, *, keep: int, vectors: str | None = None, size: int = 64, seed: int = 0
) -> pl.DataFrame:
    """Returns the removals of the pairs of all but ``keep`` prompts: row_id, reason, the prompt kept that is nearest.

    The first is the prompt of the lowest coin; each next one the farthest from those before. ``value`` has the cosine,
    too.

    Args:
        keep: prompts that stay. vectors: as in ``semantic_duplicates``; else tf-idf in ``size`` dimensions.
    """
    if keep < 1:
        raise ValueError(f"keep {keep} must be 1 or more")
    said = preferences.select("prompt_id", text=spoken("prompt"))
    prompts = said.unique("prompt_id", keep="first").sort("prompt_id")
    if prompts.height <= keep:
        return removals(pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String}))
    ids = prompts["prompt_id"]
    rows = _rows(prompts, vectors, size)
    nearest, cosine = farthest_first(rows, keep, int(coins(seed, ids, "diverse").argmin()))
    table = pl.DataFrame({"prompt_id": ids, "near": ids.gather(nearest), "cosine": cosine})
    gone = table.filter(pl.col("prompt_id") != pl.col("near"))
    found = preferences.select("pair_id", "prompt_id").join(gone, on="prompt_id")
    value = pl.concat_str(["near", pl.lit(" "), pl.col("cosine").round(3).cast(pl.String)])
    return removals(found.select(row_id="pair_id", reason=pl.lit("not among the most diverse prompts"), value=value))


def _rows(prompts: pl.DataFrame, vectors: str | None, size: int) -> Floats:
    if not vectors:
        return reduced(weighted(prompts["text"]), size)
    by_id = "key" in pl.read_parquet_schema(parquet_files(Path(vectors))[0])
    return from_file(Path(vectors), prompts["prompt_id" if by_id else "text"])


def farthest_first(rows: Floats, keep: int, first: int) -> tuple[Ints, Floats]:
    """Returns for each row the kept row nearest to it, and their cosine; a kept row is nearest to itself."""
    nearest = np.full(len(rows), first)
    cosine = rows @ rows[first]
    cosine[first] = np.inf
    for _ in range(keep - 1):
        chosen = int(cosine.argmin())
        to = rows @ rows[chosen]
        nearer = to > cosine
        nearest[nearer], cosine[nearer] = chosen, to[nearer]
        nearest[chosen], cosine[chosen] = chosen, np.inf
    return nearest, cosine
