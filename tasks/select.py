"""Verb: selects preferences from scored completions, and completes the rows a selector leaves lean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.ids import content_id
from schemas.tables import PREFERENCES
from tasks.score import Step

LOG = ("dataset", "run_id", "created_at")
"""Columns that the store fills in when rows are committed."""

_TAKEN = {  # completions column -> what it is called beside chosen_ and rejected_
    "messages": "", "content_id": "_content_id", "policy": "_policy", "logprob": "_logprob",
    "reference_logprob": "_reference_logprob", "completion_tokens": "_tokens",
}  # fmt: skip


def select(tables: Mapping[str, pl.DataFrame], selectors: Sequence[Step], recipe: str) -> pl.DataFrame:
    """Returns whole preference rows of what the selectors chose, in the order of prompts, then pairs.

    Args:
        tables: prompts, completions, scores (and whatever else a selector reads) of one shard.
        selectors: each returns at least prompt_id, chosen_id and rejected_id.
        recipe: its name goes into every row.
    """
    lean = [frame for selector in selectors if (frame := selector(tables)).height]
    if not lean:
        return PREFERENCES.empty().drop(LOG)
    pairs = pl.concat(lean, how="diagonal_relaxed").unique(
        ["prompt_id", "chosen_id", "rejected_id"], keep="first", maintain_order=True
    )
    return whole(pairs, tables["prompts"], tables["completions"], recipe)


def whole(pairs: pl.DataFrame, prompts: pl.DataFrame, completions: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """Returns preference rows with prompt, texts, policies, log-probabilities and ids filled in from the ids."""
    sides = completions.select("completion_id", *_TAKEN)
    for side in ("chosen", "rejected"):
        renamed = sides.rename({name: f"{side}{suffix}" for name, suffix in _TAKEN.items()})
        pairs = pairs.join(renamed, left_on=f"{side}_id", right_on="completion_id", how="inner", maintain_order="left")
    order = prompts.select(
        "prompt_id", pl.col("messages").alias("prompt"), "split", "source", pl.col("group").alias("annotator_group")
    ).with_row_index("_order")
    pairs = pairs.drop([name for name in ("annotator_group",) if name in pairs.columns])
    pairs = pairs.join(order, on="prompt_id", how="inner")
    ids = [
        (content_id("pair", prompt, chosen, rejected), content_id("texts", prompt, chosen_text, rejected_text))
        for prompt, chosen, rejected, chosen_text, rejected_text in pairs.select(
            "prompt_id", "chosen_id", "rejected_id", "chosen_content_id", "rejected_content_id"
        ).iter_rows()
    ]
    pairs = pairs.with_columns(
        pl.Series("pair_id", [pair for pair, _ in ids], dtype=pl.String),
        pl.Series("content_id", [text for _, text in ids], dtype=pl.String),
        pl.lit(recipe).alias("recipe"),
    )
    types = {name: dtype for name, dtype in PREFERENCES.empty().schema.items() if name not in LOG}
    pairs = pairs.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in types.items() if n not in pairs.columns)
    return pairs.sort("_order", "pair_id").select(list(types))
