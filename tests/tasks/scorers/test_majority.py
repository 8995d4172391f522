from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tasks.scorers.majority import majority


def duel(first: str, second: str, winner: str | None, judge: str = "j", outcome: str | None = None) -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pairwise", "subjects": [first, second],
            "criterion": "overall", "outcome": outcome or ("valid" if winner else "tie"), "winner": winner}  # fmt: skip


def rating(completion: str, score: float | None, judge: str, outcome: str = "valid") -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pointwise", "subjects": [completion],
            "criterion": "overall", "outcome": outcome, "score": score}  # fmt: skip


def scores(rows: list[dict[str, Any]], **params: Any) -> dict[str, float]:
    found = majority(pl.DataFrame(rows, infer_schema_length=None), **params)
    return dict(found.select("completion_id", "score").iter_rows())


def test_the_side_with_more_judges_wins_the_pair() -> None:
    rows = [duel("a", "b", "a", "j1"), duel("a", "b", "b", "j2"), duel("b", "a", "a", "j3")]
    assert scores(rows) == {"a": 1.0, "b": 0.0}


def test_a_judge_asked_four_times_still_has_one_voice() -> None:
    rows = [duel("a", "b", "a", "loud")] * 4 + [duel("a", "b", "b", "j2"), duel("a", "b", "b", "j3")]
    assert scores(rows) == {"a": 0.0, "b": 1.0}


def test_a_judge_that_contradicts_itself_abstains() -> None:
    rows = [duel("a", "b", "a", "first"), duel("b", "a", "b", "first"), duel("a", "b", "b", "other")]
    assert scores(rows) == {"a": 0.0, "b": 1.0}


def test_balanced_voices_are_half_a_win_to_either() -> None:
    assert scores([duel("a", "b", "a", "j1"), duel("a", "b", "b", "j2")]) == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize("outcome", ["refused", "unparsable", "truncated", "error"])
def test_a_failed_judgment_is_no_vote(outcome: str) -> None:
    rows = [duel("a", "b", "a", "j1"), duel("a", "b", None, "j2", outcome), duel("a", "b", None, "j3", outcome)]
    assert scores(rows) == {"a": 1.0, "b": 0.0}
    assert scores([duel("a", "b", None, "j2", outcome)]) == {}


def test_a_dropped_tie_is_no_comparison() -> None:
    assert scores([duel("a", "b", None)], ties="drop") == {}
    assert scores([duel("a", "b", None)], ties="half") == {"a": 0.5, "b": 0.5}


def test_the_commonest_rating_wins_and_equally_common_ones_are_averaged() -> None:
    three = [rating("a", 1, "j1"), rating("a", 1, "j2"), rating("a", 0, "j3")]
    assert scores(three) == {"a": 1.0}
    assert scores([*three, rating("a", 0, "j4")]) == {"a": 0.5}
    assert scores([rating("a", None, "j1", "error")]) == {}


def test_groups_of_annotators_are_scored_apart() -> None:
    rows = [duel("a", "b", "a", "e1"), duel("a", "b", "b", "n1")]
    found = majority(pl.DataFrame(rows), groups={"experts": ["e1"], "novices": ["n1"]})
    assert found.select("completion_id", "scorer", "score").rows() == [
        ("a", "majority:experts", 1.0), ("a", "majority:novices", 0.0),
        ("b", "majority:experts", 0.0), ("b", "majority:novices", 1.0),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="two groups"):
        majority(pl.DataFrame(rows), groups={"x": ["e1"], "y": ["e1"]})


def test_a_winner_who_was_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'z' is neither 'a' nor 'b'"):
        majority(pl.DataFrame([duel("a", "b", "z")]))


def test_one_unanimous_voice_is_not_certainty() -> None:
    # Beta(2, 1): variance 2 / (9 * 4), its root 0.2357
    found = majority(pl.DataFrame([duel("a", "b", "a")]))
    assert found["standard_error"].to_list() == pytest.approx([0.2357, 0.2357], abs=1e-4)
    assert found["judgments"].to_list() == [1, 1]
    assert found["quantile"].to_list() == [0.75, 0.25]


def test_a_ranking_is_a_vote_on_each_of_its_pairs() -> None:
    ranked = {**duel("b", "a", None), "kind": "listwise", "subjects": ["b", "c", "a"], "outcome": "valid",
              "meta": '{"ranking": ["a", ["b", "c"]]}'}  # fmt: skip
    assert scores([ranked]) == {"a": 1.0, "b": 0.25, "c": 0.25}
    assert scores([{**ranked, "outcome": "truncated"}]) == {}
