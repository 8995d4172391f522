"""Several judges of one name are several: an ensemble of reward models, or one judge with several rubrics."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from tasks.scorers.bradley_terry import bradley_terry
from tasks.scorers.dawid_skene import dawid_skene
from tasks.scorers.majority import majority
from tasks.scorers.median import median
from tasks.scorers.plackett_luce import plackett_luce
from tasks.scorers.preference_table import preference_table
from tasks.scorers.uncertainty_weighted import uncertainty_weighted
from tasks.scorers.win_probability import win_probability
from tasks.scorers.worst_case import worst_case

Scorer = Callable[[pl.DataFrame], pl.DataFrame]


def rating(fingerprint: str, name: str, score: float, judge: str = "reward_model") -> dict[str, object]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": fingerprint, "kind": "pointwise", "subjects": [name],
            "criterion": "reward", "outcome": "valid", "score": score, "winner": None}  # fmt: skip


def duel(fingerprint: str, winner: str, judge: str = "pairwise") -> dict[str, object]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": fingerprint, "kind": "pairwise", "subjects": ["a", "b"],
            "criterion": "overall", "outcome": "valid", "score": None, "winner": winner}  # fmt: skip


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides={"score": pl.Float64, "winner": pl.String})


def scored(scorer: Scorer, rows: list[dict[str, object]]) -> list[float]:
    return [float(score) for score in scorer(frame(rows)).sort("completion_id")["score"]]


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        pytest.param(worst_case, 1.0, id="the worst of 1, 2 and 6"),
        pytest.param(median, 2.0, id="their median"),
        pytest.param(uncertainty_weighted, 3 - 0.5 * 14 / 3, id="their mean less half their variance"),
    ],
)
def test_an_ensemble_of_one_block_is_an_ensemble(scorer: Scorer, expected: float) -> None:
    rows = [rating(f"model {i}", "a", score) for i, score in enumerate((1.0, 2.0, 6.0))]
    assert scored(scorer, rows) == pytest.approx([expected])


def test_the_rating_that_most_of_them_give_is_the_majority() -> None:
    rows = [rating(f"rubric {i}", "a", score) for i, score in enumerate((4.0, 4.0, 1.0))]
    assert scored(majority, rows) == pytest.approx([4.0])


@pytest.mark.parametrize(
    "scorer", [majority, bradley_terry, preference_table, plackett_luce, win_probability, dawid_skene]
)
def test_a_judge_asked_three_times_has_one_voice_and_two_of_one_name_have_two(scorer: Scorer) -> None:
    one_for_a = [duel("rubric 0", "a")] * 3
    two_for_b = [duel("rubric 1", "b"), duel("rubric 2", "b")]
    named_apart = [duel("x", "a", "one")] * 3 + [duel("y", "b", "two"), duel("z", "b", "three")]
    a, b = scored(scorer, one_for_a + two_for_b)
    assert (a, b) == pytest.approx(tuple(scored(scorer, named_apart)))
    assert scorer is dawid_skene or a < b
