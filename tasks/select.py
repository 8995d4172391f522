"""Verb: selects rows from scored completions, and fills in what selectors leave out.

A selector works on ids and numbers; prompts and texts are joined once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.ids import content_id
from schemas.messages import text_of
from schemas.tables import TABLES
from tasks.score import Step

LOG = ("dataset", "run_id", "created_at")
"""Columns that the store fills in when rows are committed."""

_TAKEN = {  # completions column -> what it is called beside chosen_ and rejected_
    "messages": "", "content_id": "_content_id", "policy": "_policy", "logprob": "_logprob",
    "reference_logprob": "_reference_logprob", "completion_tokens": "_tokens",
}  # fmt: skip


def select(tables: Mapping[str, pl.DataFrame], selectors: Sequence[Step]) -> dict[str, pl.DataFrame]:
    """Returns the lean rows that the selectors chose: dataset table -> rows with ids, no texts.

    Args:
        tables: completions, scores and whatever else a selector reads.
        selectors: their marks say which table each makes; what two of them choose alike is one row.
    """
    chosen: dict[str, list[pl.DataFrame]] = {}
    for selector in selectors:
        frame: pl.DataFrame = selector(tables)
        if frame.height:
            chosen.setdefault(selector.block.mark.makes, []).append(frame)
    made = {}
    for name, frames in chosen.items():
        rows = pl.concat(frames, how="diagonal_relaxed")
        same = [column for column in _IDENTITY[name] if column in rows.columns]
        made[name] = rows.unique(same, keep="first", maintain_order=True)
    return made


def whole(name: str, lean: pl.DataFrame, tables: Mapping[str, pl.DataFrame], recipe: str) -> pl.DataFrame:
    """Returns lean rows of a dataset table with prompts, texts and ids filled in, by prompt, then id.

    Args:
        name: of the table.
        tables: prompts and completions, the full rows of at least the ids in ``lean``.
        recipe: its name goes into every row.
    """
    prompts, completions = tables["prompts"], tables["completions"]
    rows = _WHOLE[name](lean, completions)
    more = prompts.select(
        "prompt_id", pl.col("messages").alias("prompt"), "split", "source", pl.col("group").alias("annotator_group")
    ).with_row_index("_order")
    taken = [column for column in more.columns if column == "prompt_id" or column not in rows.columns]
    rows = rows.join(more.select(taken), on="prompt_id", how="inner").with_columns(recipe=pl.lit(recipe))
    types = {column: dtype for column, dtype in TABLES[name].empty().schema.items() if column not in LOG}
    rows = rows.with_columns(pl.lit(None, dtype).alias(c) for c, dtype in types.items() if c not in rows.columns)
    return rows.sort("_order", TABLES[name].key[-1]).select(pl.col(c).cast(dtype) for c, dtype in types.items())


def _preferences(lean: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    if "chosen" in lean.columns:  # a selector over nodes brings its texts: a step is no completion
        own = [[content_id("completion", m) for m in lean[side].to_list()] for side in ("chosen", "rejected")]
        lean = lean.with_columns(
            pl.Series("chosen_content_id", own[0], dtype=pl.String),
            pl.Series("rejected_content_id", own[1], dtype=pl.String),
        )
    else:
        for side in ("chosen", "rejected"):
            renamed = completions.select(completion_id="completion_id", **{f"{side}{v}": k for k, v in _TAKEN.items()})
            renamed = renamed.select("completion_id", *(c for c in renamed.columns[1:] if c not in lean.columns))
            lean = lean.join(renamed, left_on=f"{side}_id", right_on="completion_id", maintain_order="left")
    group = ["annotator_group"] if "annotator_group" in lean.columns else []  # two users may label one pair
    prefix = ["prefix"] if "prefix" in lean.columns else []
    pairs = lean.select("prompt_id", "chosen_id", "rejected_id", *group).iter_rows()
    texts = lean.select("prompt_id", "chosen_content_id", "rejected_content_id", *prefix, *group).iter_rows()
    return lean.with_columns(
        pl.Series("pair_id", [content_id("pair", *row) for row in pairs], dtype=pl.String),
        pl.Series("content_id", [content_id("texts", *row) for row in texts], dtype=pl.String),
    )


def _rankings(lean: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    lists = lean["completion_ids"].to_list()
    ids = [content_id("ranking", prompt, ids) for prompt, ids in zip(lean["prompt_id"], lists, strict=True)]
    lean = lean.with_columns(pl.Series("ranking_id", ids, dtype=pl.String))
    if "completions" in lean.columns:
        return lean
    texts = {row[0]: text_of(row[1]) for row in completions.select("completion_id", "messages").iter_rows()}
    return lean.with_columns(
        pl.Series("completions", [[texts[i] for i in ids] for ids in lists], dtype=pl.List(pl.String))
    )


def _examples(lean: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    if "completion" not in lean.columns:
        texts = completions.select("completion_id", completion="messages")
        lean = lean.join(texts, on="completion_id", maintain_order="left")
    said = lean.select("prompt_id", "completion_id", *(["conditioning"] if "conditioning" in lean.columns else []))
    ids = [content_id("example", *row) for row in said.iter_rows()]
    return lean.with_columns(pl.Series("example_id", ids, dtype=pl.String))


def _steps(lean: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    ids = [content_id("steps", *row) for row in lean.select("prompt_id", "completions").iter_rows()]
    return lean.with_columns(pl.Series("step_row_id", ids, dtype=pl.String))


_WHOLE = {"preferences": _preferences, "rankings": _rankings, "examples": _examples, "steps": _steps}
_IDENTITY = {
    "preferences": ["prompt_id", "chosen_id", "rejected_id", "annotator_group"],
    "rankings": ["prompt_id", "completion_ids"], "examples": ["prompt_id", "completion_id", "conditioning"],
    "steps": ["prompt_id", "completions"],
}  # fmt: skip
