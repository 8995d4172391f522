import polars as pl
import pytest

from tasks.selectors.correct_vs_wrong import correct_vs_wrong


def pairs(texts=None, prompts=None, **settings):
    scores = settings.pop("scores")
    names = list(scores)
    frame = pl.DataFrame({"completion_id": names, "score": [float(score) for score in scores.values()]})
    frame = frame.with_columns(
        content_id=pl.Series(texts or names), prompt_id=pl.Series(prompts or ["p"] * len(names)),
        finish_reason=pl.lit("stop"), criterion=pl.lit("c"), scorer=pl.lit("mean"),
    )  # fmt: skip
    return correct_vs_wrong(frame, frame, **settings).select("chosen_id", "rejected_id").rows()


def test_the_kth_right_meets_the_kth_wrong_and_each_is_used_once():
    assert pairs(scores={"a": 1, "b": 0, "c": 1, "d": 0, "e": 0}) == [("a", "b"), ("c", "d")]


def test_reuse_begins_the_smaller_side_again():
    scores = {"a": 1, "b": 0, "c": 1, "d": 0, "e": 0}
    assert pairs(scores=scores, reuse=True) == [("a", "b"), ("a", "e"), ("c", "d")]
    assert pairs(scores={"a": 1, "b": 1, "c": 1, "d": 0}, reuse=True) == [("a", "d"), ("b", "d"), ("c", "d")]
    assert pairs(scores={"a": 1, "b": 1}, reuse=True) == []


def test_all_right_or_all_wrong_makes_no_pair():
    assert pairs(scores={"a": 1, "b": 1}) == []
    assert pairs(scores={"a": 0, "b": 0}) == []


def test_a_score_on_the_threshold_is_neither():
    assert pairs(scores={"a": 1, "b": 0.5}) == []
    assert pairs(scores={"a": 1, "b": 0.5}, threshold=0.7) == [("a", "b")]


def test_equal_texts_count_once():
    assert pairs(scores={"a": 1, "b": 1, "c": 0, "d": 0}, texts=["x", "x", "y", "z"]) == [("a", "c")]


def test_a_cap_keeps_the_first_pairs_of_each_prompt():
    scores = {"a": 1, "b": 0, "c": 1, "d": 0, "e": 1, "f": 0}
    prompts = ["p", "p", "p", "p", "q", "q"]
    assert pairs(scores=scores, prompts=prompts, per_prompt=1) == [("a", "b"), ("e", "f")]


def test_a_cap_below_one_is_refused():
    with pytest.raises(ValueError, match="per_prompt is 0"):
        pairs(scores={"a": 1, "b": 0}, per_prompt=0)
