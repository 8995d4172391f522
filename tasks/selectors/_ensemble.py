"""An ensemble of judges as one table: a row a completion, a column a judge.

Source: the tables completions and judgments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from tasks.selectors._sets import Floats, held, numbered


class Members(NamedTuple):
    """What each judge gave each completion.

    Attributes:
        rows: the candidates, with prompt_id, completion_id, criterion, row and group. names: of the judges, in order.
        scores: row x judge, the mean of the judge's valid scores; nothing is missing.
    """

    rows: pl.DataFrame
    names: list[str]
    scores: Floats


def members(
    completions: pl.DataFrame, judgments: pl.DataFrame, judges: Sequence[str] | None, criterion: str | None,
    *, truncated: bool,
) -> Members:  # fmt: skip
    """Returns the completions that every judge scored; a judge is a name with its fingerprint.

    Raises:
        ValueError: a judge scored by several criteria, and ``criterion`` does not say which is meant.
    """
    said = judgments.filter(
        pl.col("kind") == "pointwise", pl.col("outcome") == "valid", pl.col("score").is_finite(),
        *([] if judges is None else [pl.col("judge").is_in(judges)]),
        *([] if criterion is None else [pl.col("criterion") == criterion]),
    )  # fmt: skip
    kinds = said.select("judge", "fingerprint", "criterion").unique().sort("judge", "fingerprint", "criterion")
    twice = kinds.filter(pl.struct("judge", "fingerprint").is_duplicated())
    if twice.height:
        found = ", ".join(twice["criterion"].unique().sort())
        raise ValueError(f"judge {twice['judge'][0]!r} scored by {found}; set criterion to one of them")
    rows = held(completions, truncated)
    names = []
    for place, (judge, fingerprint, _) in enumerate(kinds.iter_rows()):
        own = said.filter(pl.col("judge") == judge, pl.col("fingerprint") == fingerprint)
        mean = own.group_by(completion_id=pl.col("subjects").list.first()).agg(
            pl.col("score").sort().mean().alias(f"m{place}"), pl.col("criterion").first()
        )
        mean = mean if not place else mean.drop("criterion")
        rows = rows.join(mean, on="completion_id", how="inner")
        names.append(judge)
    if not names:
        rows = rows.clear().with_columns(criterion=pl.lit(None, pl.String))
    rows = numbered(rows)
    scores = rows.select(f"m{i}" for i in range(len(names))).to_numpy() if names else np.empty((0, 0))
    return Members(rows.select("prompt_id", "completion_id", "criterion", "row", "group"), names, scores)
