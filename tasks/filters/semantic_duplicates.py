"""Semantic duplicates: all but one of each group of prompts, pairs or answers that ask or say the same in other words.

Source: SemDeDup (Abbas et al. 2023, arXiv:2303.09540); tf-idf where there is no embedding. On 234 programming tasks
among 588 whose wordings differ, words by tf-idf at 0.8 found 63 % with 84 % of the finds right; MinHash at 0.5 found
66 %, of which 61 % were right, and at 0.8 47 %, of which 98 %.

Use it after ``near_duplicates``, with vectors of a good embedding model. Without one it is bad at synonyms; with or
without it takes out tasks that differ in a number or a name only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import spoken
from tasks.texts.alike import alike
from tasks.texts.minhash import Near
from tasks.texts.vectors import from_file, from_model, parquet_files, reduced, weighted
from tasks.texts.words import Ints

SLACK = 0.2


@row_filter(scope="dataset", texts=True, files=("vectors",))
def semantic_duplicates(
    preferences: pl.DataFrame,
    *,
    of: Literal["prompt", "pair", "chosen", "rejected"] = "prompt",
    threshold: float = 0.85,
    vectors: str | None = None,
    static: str | None = None,
) -> pl.DataFrame:
    """Returns the removals of rows that mean nearly the same as an earlier one by id: row_id, reason, value.

    ``value`` names what stays and the cosine. Above twenty thousand texts the search is within clusters and misses a
    few.

    Args:
        of: as in ``near_duplicates``; pairs of one prompt stay, unless they are what is compared.
        threshold: least cosine. For vectors of words 0.8 to 0.9; models differ: look at what goes.
        vectors: a Parquet file, or a folder of them, with columns key (the prompt_id or pair_id) or text, and vector;
            ``pairwright embed`` makes one with any endpoint's model.
        static: a static embedding model of the library model2vec, a folder or a name. Without either: words by tf-idf.
    """
    if not 0 < threshold <= 1 or (vectors and static):
        raise ValueError(f"threshold {threshold} must be above 0 and at most 1; give vectors or static, not both")
    key = "prompt_id" if of == "prompt" else "pair_id"
    columns = ["prompt", "chosen", "rejected"] if of == "pair" else [of]
    text = pl.concat_str([spoken(column) for column in columns], separator="\n\n")
    rows = preferences.select(key, text=text).unique(key, keep="first").sort(key)
    found = _found(rows[key], rows["text"], threshold, vectors, static)
    ids = rows[key]
    out = pl.DataFrame(
        {"id": ids.gather(found.row), "kept": ids.gather(found.kept), "alike": found.similarity},
        schema={"id": pl.String, "kept": pl.String, "alike": pl.Float64},
    )
    said = pl.concat_str(["kept", pl.lit(" "), pl.col("alike").round(3).cast(pl.String)])
    reason = pl.lit(f"{of} means the same as another")
    joined = preferences.select("pair_id", id=key).join(out, on="id")
    return joined.select(row_id="pair_id", reason=reason, value=said).sort("row_id")


def _found(ids: pl.Series, texts: pl.Series, threshold: float, vectors: str | None, static: str | None) -> Near:
    if static:
        return alike(from_model(static, texts), threshold=threshold)
    if vectors:
        path = Path(vectors)
        by_id = "key" in pl.read_parquet_schema(parquet_files(path)[0])
        return alike(from_file(path, ids if by_id else texts), threshold=threshold)
    if not len(texts):
        return alike(np.zeros((0, 1), np.float32), threshold=threshold)
    exact = weighted(texts)

    def surely(one: Ints, other: Ints) -> Any:
        return np.asarray(exact[one].multiply(exact[other]).sum(axis=1)).ravel()

    return alike(reduced(exact), threshold=threshold, surely=surely, slack=SLACK)
