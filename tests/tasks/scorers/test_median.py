from __future__ import annotations

import polars as pl
import pytest

from tasks.scorers.median import median


def ratings(scores: dict[str, list[float | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pointwise", "subjects": ["a"],
             "criterion": "overall", "outcome": "error" if score is None else "valid", "score": score}
            for judge, given in scores.items() for score in given
        ]
    )  # fmt: skip


def test_one_wild_judge_does_not_move_it() -> None:
    found = median(ratings({"j1": [3.0], "j2": [4.0], "wild": [100.0]}))
    assert found["score"].to_list() == [4.0]
    # deviations 1, 0, 96: median 1; sqrt(pi / 2) * 1.4826 / sqrt(3)
    assert found["standard_error"][0] == pytest.approx(1.0728, abs=1e-4)


def test_repeats_of_a_judge_are_one_voice_and_failures_none() -> None:
    found = median(ratings({"j1": [1.0, 1.0, 1.0, None], "j2": [5.0], "j3": [5.0]}))
    assert found["score"].to_list() == [5.0]
    assert found["judgments"].to_list() == [5]


def test_one_judge_has_no_standard_error() -> None:
    assert median(ratings({"j1": [2.0]}))["standard_error"].to_list() == [None]
