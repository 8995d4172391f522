"""Exemplar likeness: how much a completion brings its prompt's set of completions nearer to a set of exemplars.

Source: DRAGON (arXiv:2504.15217, section 3: rewards of distributions against exemplar sets); the witness function of
the maximum mean discrepancy (Gretton et al. 2012, JMLR 13).

Use it where one has examples of what is wanted and no judge. It is bad at meaning: likeness is that of letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import scorer
from tasks.scorers._quantile import finished

BUCKETS, CHUNK = 512, 8192
Floats = np.ndarray[Any, np.dtype[np.float64]]


@scorer(texts=True)
def exemplar_likeness(
    prompts: pl.DataFrame,
    completions: pl.DataFrame,
    *,
    exemplars: tuple[str, ...] = (),
    sameness: float = 0.5,
    criterion: str = "likeness",
) -> pl.DataFrame:
    """Returns for each completion its mean likeness to the exemplars less ``sameness`` times that to its fellows.

    Likeness is the cosine of hashed counts of three bytes in a row, in [0, 1].

    Args:
        exemplars: texts; without any, each prompt's reference is the exemplar of its completions, and a prompt
            without one has no scores.
        sameness: the charge for being like the prompt's other completions; 0 looks at each alone.
        criterion: the name of the scores.

    Raises:
        ValueError: sameness is negative.
    """
    if not sameness >= 0:
        raise ValueError(f"sameness is {sameness}; it must be 0 or more")
    said = pl.element().struct.field("content").fill_null("")
    rows = completions.select(
        "prompt_id", "completion_id", text=pl.col("messages").list.eval(said).list.join("\n\n")
    ).join(prompts.select("prompt_id", "reference").unique("prompt_id"), on="prompt_id", how="left")
    if not exemplars:
        rows = rows.filter(pl.col("reference").is_not_null())
    rows = rows.sort("prompt_id", "completion_id")
    wanted = features(list(exemplars)).mean(axis=0) if exemplars else None
    group = rows["prompt_id"].rle_id().to_numpy()
    begin = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else group
    scores = [np.empty(0)]
    ends = begin[np.flatnonzero(np.diff(begin // CHUNK, prepend=-1))] if len(begin) else begin
    for first, last in zip(ends, [*ends[1:], rows.height], strict=True):
        part = rows[int(first) : int(last)]
        own = features(part["text"].to_list())
        near = own @ wanted if wanted is not None else (own * features(part["reference"].to_list())).sum(axis=1)
        scores.append(near - sameness * _fellows(own, begin[(begin >= first) & (begin < last)] - first))
    scored = rows.select(
        "prompt_id", "completion_id", criterion=pl.lit(criterion), score=pl.Series(np.concatenate(scores)),
        judgments=pl.lit(1), standard_error=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return finished(scored, "exemplar_likeness")


def _fellows(own: Floats, begin: Any) -> Floats:
    """Returns each row's mean likeness to the other rows of its stretch, 0 for one alone."""
    sizes = np.diff(np.r_[begin, len(own)])
    total = np.repeat(np.add.reduceat(own, begin, axis=0), sizes, axis=0)
    others = np.repeat(sizes - 1, sizes)
    itself = (own * own).sum(axis=1)
    found: Floats = ((own * total).sum(axis=1) - itself) / np.maximum(others, 1)
    return found


def features(texts: Sequence[str]) -> Floats:
    """Returns a row a text: hashed counts of three bytes in a row, of length 1; zeros for fewer than three bytes."""
    counts = np.zeros((len(texts), BUCKETS))
    for row, text in enumerate(texts):
        data = np.frombuffer(text.encode(), dtype=np.uint8).astype(np.uint64)
        if len(data) > 2:
            code = (data[:-2] << np.uint64(16)) | (data[1:-1] << np.uint64(8)) | data[2:]
            counts[row] = np.bincount(
                (code * np.uint64(2654435761) >> np.uint64(7)) % np.uint64(BUCKETS), None, BUCKETS
            )
    unit: Floats = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)
    return unit
