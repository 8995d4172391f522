from __future__ import annotations

import polars as pl
import pytest

from tasks.scorers.worst_case import worst_case

A, B = [1.0, 2.0, 0.5, 1.5, 2.0], [1.2, 1.3, 1.2, 1.4, 1.3]


def rated(scores: dict[str, list[float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"prompt_id": "p", "judge": f"rm{i}", "fingerprint": f"rm{i}", "kind": "pointwise", "subjects": [name],
             "criterion": "overall", "outcome": "valid", "score": score}
            for name, given in scores.items() for i, score in enumerate(given)
        ]
    )  # fmt: skip


def test_the_lowest_reward_counts_so_the_steady_one_wins() -> None:
    found = worst_case(rated({"a": A, "b": B}))
    assert found.select("completion_id", "score", "judgments").rows() == [("a", 0.5, 5), ("b", 1.2, 5)]


def test_a_completion_too_few_judges_rated_has_no_score() -> None:
    found = worst_case(rated({"a": A, "b": B[:4]}), least_judges=5)
    assert found["completion_id"].to_list() == ["a"]


def test_a_judges_repeats_are_averaged_before() -> None:
    rows = pl.concat([rated({"a": [1.0, 3.0]}), rated({"a": [2.0]})])
    assert worst_case(rows)["score"].to_list() == pytest.approx([1.5])
