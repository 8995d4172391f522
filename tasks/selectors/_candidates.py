"""What a selector may choose from, and how its pairs look.

Source: the tables completions, scores and preferences.
"""

from __future__ import annotations

import polars as pl

WHOLE = ("stop", "tool_calls")
"""Finish reasons of whole answers. ``length`` is added where a selector is told so; no other is ever chosen."""


def candidates(
    completions: pl.DataFrame, scores: pl.DataFrame, *, criterion: str | None, truncated: bool
) -> pl.DataFrame:
    """Returns the completions a pair may be made of, sorted by prompt_id and completion_id.

    Columns: prompt_id, completion_id, criterion, score, ``row`` (its number here) and ``group`` (its prompt's number):
    selectors work on these numbers, which compare in a fraction of the time of ids.

    A candidate is whole (or cut, where ``truncated`` allows it) and has a finite score. Of completions of a prompt with
    the same text only the one with the lowest id stays, so no pair has equal texts and none comes twice.

    Raises:
        ValueError: the scores hold several criteria or scorers and ``criterion`` does not say which is meant.
    """
    kinds = scores.select("criterion", "scorer").unique().sort("criterion", "scorer")
    if criterion is not None:
        kinds = kinds.filter(pl.col("criterion") == criterion)
        scores = scores.filter(pl.col("criterion") == criterion)
    if kinds.height > 1:
        found = ", ".join(f"{name} ({scorer})" for name, scorer in kinds.iter_rows())
        raise ValueError(f"there are scores of several kinds: {found}; set criterion to one, or use one scorer")
    allowed = (*WHOLE, "length") if truncated else WHOLE
    return (
        completions.lazy()
        .filter(pl.col("finish_reason").is_in(allowed))
        .select("prompt_id", "completion_id", "content_id")
        .join(scores.lazy().select("completion_id", "criterion", "score"), on="completion_id")
        .filter(pl.col("score").is_finite())
        .sort("prompt_id", "completion_id")
        .unique(("prompt_id", "content_id"), keep="first", maintain_order=True)
        .select("prompt_id", "completion_id", "criterion", "score", group=pl.col("prompt_id").rle_id())
        .with_row_index("row")
        .collect()
    )


def pairs(rows: pl.DataFrame, chosen: pl.Series, rejected: pl.Series) -> pl.DataFrame:
    """Returns pairs of candidates: ids, criterion, scores and margin, sorted by prompt, chosen and rejected id.

    Args:
        rows: the candidates.
        chosen, rejected: row numbers of the two, pair by pair.
    """
    met = pl.DataFrame({"chosen": chosen, "rejected": rejected}).sort("chosen", "rejected")
    one, other = rows[met["chosen"]], rows[met["rejected"]]
    frame = one.select("prompt_id", "criterion", chosen_id="completion_id", chosen_score="score")
    frame = frame.hstack(other.select(rejected_id="completion_id", rejected_score="score"))
    return frame.select(
        "prompt_id", "chosen_id", "rejected_id", "criterion", "chosen_score", "rejected_score",
        margin=pl.col("chosen_score") - pl.col("rejected_score"),
    )  # fmt: skip


def first_of_each(frame: pl.DataFrame, per_prompt: int | None) -> pl.DataFrame:
    """Returns the first ``per_prompt`` rows of each ``group`` in the frame's order, all of them for null.

    Raises:
        ValueError: per_prompt is below 1.
    """
    if per_prompt is None:
        return frame
    if per_prompt < 1:
        raise ValueError(f"per_prompt is {per_prompt}; at least one pair a prompt is needed")
    return frame.filter(pl.int_range(pl.len()).over("group") < per_prompt)
