"""Pairs whose label is how their completions came to be: a demonstration over a sample, a revision over its draft.

Source: Inverse-RLignment (arXiv:2405.15624, section 3: demonstrations over samples of the initial policy); SSO
(arXiv:2410.17131, section 3: good principles over bad ones); refined DPO (arXiv:2402.08005: revised over first answer).

Use it where how a text was made says which is better. It is bad where that does not hold for every prompt: a policy may
beat its demonstration, a revision spoil its draft.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import note
from tasks.selectors._sets import every, held, numbered, paired, widest


@selector
def by_construction(
    completions: pl.DataFrame,
    *,
    better: str,
    worse: str | None = None,
    by: Literal["policy", "condition"] = "condition",
    same_draft: bool = False,
    per_prompt: int | None = None,
    seed: int = 0,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns every pair of a prompt of a completion made the ``better`` way with one made the ``worse`` way.

    There are no scores in it: judge the pairs afterwards, or trust the construction. ``level`` is ``better>worse``.

    Args:
        better, worse: a policy or a condition; any other than ``better`` where ``worse`` is null.
        by: the column ``policy``, or the ``condition`` that the sampler noted in ``meta``.
        same_draft: only a revision over the very draft it was made of.
        per_prompt: at most so many pairs a prompt, drawn by lot; by default all.
        seed: of the lot, which depends on the two ids alone.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: better and worse are the same, or per_prompt is below 1.
    """
    if better == worse:
        raise ValueError(f"better and worse are both {better!r}")
    rows = numbered(held(completions, truncated))
    kind = rows.select(pl.col("policy") if by == "policy" else note("condition")).to_series()
    up = (kind == better).fill_null(False).to_numpy()
    down = (kind.is_not_null() & (kind != better) if worse is None else (kind == worse).fill_null(False)).to_numpy()
    made_of = rows["derived_from"].fill_null("") if same_draft else rows["content_id"]
    codes = pl.concat([rows["content_id"], made_of.alias("content_id")]).rank("dense").to_numpy()
    text, draft = codes[: rows.height], codes[rows.height :]
    one, other = every(rows, lambda i, j: up[i] & down[j] & ((draft[i] == text[j]) | np.bool_(not same_draft)))
    if per_prompt is not None:
        met = rows["completion_id"].gather(one) + rows["completion_id"].gather(other)
        one, other = widest(rows, one, other, coins(seed, met, "by_construction"), per_prompt)
    level = kind.cast(pl.String).gather(one) + ">" + kind.cast(pl.String).gather(other)
    return paired(rows, one, other, level=level)
