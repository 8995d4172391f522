from __future__ import annotations

from typing import Any

import polars as pl

from tasks.reports.verdicts import verdicts

GOLD = pl.DataFrame({"item_id": ["i"], "first_id": ["a"], "second_id": ["b"]})


def duel(shown: list[str], outcome: str, winner: str | None, chance: float | None = None) -> dict[str, Any]:
    return {"judge": "j", "kind": "pairwise", "subjects": shown, "outcome": outcome, "winner": winner, "score": None,
            "probability": chance}  # fmt: skip


def rating(subject: str, score: float | None, outcome: str = "valid") -> dict[str, Any]:
    return {"judge": "rm", "kind": "pointwise", "subjects": [subject], "outcome": outcome, "winner": None,
            "score": score, "probability": None}  # fmt: skip


def read(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    frame = pl.DataFrame(rows, schema_overrides={"winner": pl.String, "score": pl.Float64, "probability": pl.Float64})
    return verdicts(frame, GOLD).select("trial", "swapped", "outcome", "verdict", "probability").rows()


def test_a_turned_pair_is_read_in_the_order_of_the_gold_set() -> None:
    rows = [duel(["a", "b"], "valid", "a", 0.75), duel(["b", "a"], "valid", "b", 0.75), duel(["b", "a"], "tie", None)]
    assert read(rows) == [
        (0, False, "valid", "first", 0.75), (0, True, "valid", "second", 0.25), (1, True, "tie", "tie", None),
    ]  # fmt: skip


def test_a_failed_judgment_keeps_its_outcome_and_names_nobody() -> None:
    assert read([duel(["a", "b"], "refused", None)]) == [(0, False, "refused", None, None)]


def test_two_ratings_make_a_verdict_and_a_failed_one_none() -> None:
    assert read([rating("a", 3), rating("b", 5), rating("a", 4), rating("b", 4)]) == [
        (0, None, "valid", "second", None), (1, None, "tie", "tie", None),
    ]  # fmt: skip
    assert read([rating("a", 3), rating("b", None, "truncated")]) == [(0, None, "truncated", None, None)]
    assert read([rating("a", None, "error"), rating("b", 3)]) == [(0, None, "error", None, None)]


def test_judgments_of_other_completions_are_no_verdicts() -> None:
    assert read([duel(["a", "z"], "valid", "z"), rating("a", 1)]) == []
