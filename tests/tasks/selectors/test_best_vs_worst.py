import polars as pl
import pytest

from tasks.selectors.best_vs_worst import best_vs_worst


def pairs(scores, texts=None, **settings):
    names = [chr(ord("a") + i) for i in range(len(scores))]
    frame = pl.DataFrame({"completion_id": names, "content_id": texts or names, "score": [float(s) for s in scores]})
    frame = frame.with_columns(
        prompt_id=pl.lit("p"), finish_reason=pl.lit("stop"), criterion=pl.lit("c"), scorer=pl.lit("mean")
    )
    found = best_vs_worst(frame, frame, **settings)
    return found.select("chosen_id", "rejected_id").rows()


def test_the_first_of_equal_bests_against_the_worst():
    assert pairs([0.1, 0.4, 0.4, 0.0]) == [("b", "d")]


def test_a_tie_makes_no_pair():
    assert pairs([1, 1, 1]) == []


def test_one_completion_makes_no_pair():
    assert pairs([1]) == []


def test_the_margin_must_be_exceeded_not_reached():
    assert pairs([1.0, 0.5], min_margin=0.5) == []
    assert pairs([1.0, 0.5], min_margin=0.25) == [("a", "b")]


def test_equal_texts_are_never_paired():
    assert pairs([1, 0], texts=["same", "same"]) == []
    assert pairs([1, 0, 0.5], texts=["same", "same", "other"]) == [("a", "c")]


def test_the_row_names_scores_margin_and_criterion():
    frame = pl.DataFrame({"completion_id": ["a", "b"], "content_id": ["a", "b"], "score": [2.0, -1.0]})
    frame = frame.with_columns(
        prompt_id=pl.lit("p"), finish_reason=pl.lit("stop"), criterion=pl.lit("c"), scorer=pl.lit("mean")
    )
    assert best_vs_worst(frame, frame).to_dicts() == [
        {
            "prompt_id": "p", "chosen_id": "a", "rejected_id": "b", "criterion": "c", "chosen_score": 2.0,
            "rejected_score": -1.0, "margin": 3.0,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("margin", [-0.1, float("nan")])
def test_a_margin_below_zero_is_refused(margin):
    with pytest.raises(ValueError, match="min_margin"):
        pairs([1, 0], min_margin=margin)
