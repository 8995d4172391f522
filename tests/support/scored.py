"""Small tables of completions, scores and judgments, for tests of the blocks that choose from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

COMPLETIONS = {
    "prompt_id": pl.String, "completion_id": pl.String, "content_id": pl.String, "finish_reason": pl.String,
    "policy": pl.String, "sample_index": pl.Int64, "completion_tokens": pl.Int64, "logprob": pl.Float64,
    "reference_logprob": pl.Float64, "derived_from": pl.String, "meta": pl.String,
}  # fmt: skip


def completions(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Returns completions of prompt ``p`` by policy ``own``, each with a text of its own, but for what a row says."""
    full = [
        {"prompt_id": "p", "content_id": f"text {row['completion_id']}", "finish_reason": "stop", "policy": "own",
         "sample_index": place, **row}
        for place, row in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(full, schema=COMPLETIONS)


def scored(values: Mapping[str, Sequence[float | None]], **columns: Sequence[Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns completions ``000``, ``001``, … and their scores by each criterion; a null is no score.

    Args:
        values: criterion -> a score a completion. columns: of the completions, e.g. ``prompt_id=["p", "q"]``.
    """
    count = len(next(iter(values.values())))
    rows = [
        {"completion_id": f"{i:03d}", **{name: column[i] for name, column in columns.items()}} for i in range(count)
    ]
    frame = completions(rows)
    said = [
        {"completion_id": row["completion_id"], "prompt_id": row["prompt_id"], "criterion": name, "scorer": "mean",
         "score": None if column[i] is None else float(column[i])}
        for name, column in values.items() for i, row in enumerate(frame.iter_rows(named=True))
    ]  # fmt: skip
    schema = dict.fromkeys(("completion_id", "prompt_id", "criterion", "scorer"), pl.String) | {"score": pl.Float64}
    return frame, pl.DataFrame(said, schema=schema).drop_nulls("score")


def one(values: Sequence[float | None], **columns: Sequence[Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns completions and their scores by the one criterion ``c``."""
    return scored({"c": values}, **columns)


def places(frame: pl.DataFrame) -> list[tuple[int, int]]:
    """Returns the pairs as numbers of completions, chosen first."""
    return [(int(best), int(worst)) for best, worst in frame.select("chosen_id", "rejected_id").iter_rows()]


JUDGMENTS = {
    "prompt_id": pl.String, "kind": pl.String, "outcome": pl.String, "subjects": pl.List(pl.String),
    "criterion": pl.String, "winner": pl.String, "score": pl.Float64, "judge": pl.String, "fingerprint": pl.String,
    "probability": pl.Float64, "comparison_id": pl.String, "comparison": pl.String, "meta": pl.String,
}  # fmt: skip


def judgments(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Returns valid judgments of prompt ``p`` by judge ``j`` and criterion ``c``, but for what a row says."""
    full = [
        {"prompt_id": "p", "outcome": "valid", "criterion": "c", "judge": "j", "fingerprint": "f", **row}
        for row in rows
    ]
    return pl.DataFrame(full, schema=JUDGMENTS)


def graded(grades: Mapping[str, Mapping[str, Sequence[float | None]]]) -> pl.DataFrame:
    """Returns pointwise judgments: judge -> criterion -> a score a completion; a null is a reply nobody could read."""
    return judgments([
        {"kind": "pointwise", "subjects": [f"{i:03d}"], "criterion": criterion, "judge": judge, "fingerprint": judge,
         "score": value, "outcome": "valid" if value is not None else "unparsable"}
        for judge, criteria in grades.items() for criterion, values in criteria.items()
        for i, value in enumerate(values)
    ])  # fmt: skip


def duels(wins: Sequence[tuple[str, str, float]], judge: str = "j", prompt: str = "p") -> pl.DataFrame:
    """Returns pairwise judgments: (first, second, 1 when the first won, 0 when the second did, 1/2 for a tie)."""
    return judgments([
        {"kind": "pairwise", "prompt_id": prompt, "subjects": [one, other], "judge": judge, "fingerprint": judge,
         "winner": None if won == 0.5 else one if won == 1 else other, "outcome": "tie" if won == 0.5 else "valid"}
        for one, other, won in wins
    ])  # fmt: skip
