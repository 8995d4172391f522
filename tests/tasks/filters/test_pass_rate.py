import polars as pl
import pytest

from tasks.filters.pass_rate import pass_rate
from tests.support.preferences import pairs
from tests.support.scored import one


def removed(right, of, **chosen):
    _, scores = one([1.0] * right + [0.0] * (of - right))
    return pass_rate(pairs([{}]), scores, **chosen).rows()


def test_prompts_all_right_or_all_wrong_or_easy_go():
    assert removed(0, 4) == [("0", "too hard", "0.0")]
    assert removed(4, 5) == [("0", "too easy", "0.8")]
    assert removed(3, 4) == []


def test_a_prompt_without_scores_stays():
    _, scores = one([1.0], prompt_id=["q"])
    assert pass_rate(pairs([{}]), scores).height == 0


def test_the_window_has_room_and_scores_are_of_one_kind():
    with pytest.raises(ValueError, match="nothing lies above"):
        removed(1, 2, above=0.8, below=0.8)
    _, scores = one([1.0])
    with pytest.raises(ValueError, match="several kinds"):
        pass_rate(pairs([{}]), pl.concat([scores, scores.with_columns(criterion=pl.lit("d"))]))
