import polars as pl
import pytest

from tasks.weighters.repeats import repeats
from tests.support.preferences import pairs
from tests.support.scored import one


def times(right, of, **chosen):
    _, scores = one([1.0] * right + [0.0] * (of - right))
    return repeats(pairs([{}]), scores, **chosen)["weight"][0]


@pytest.mark.parametrize(("right", "of", "count"), [(1, 16, 6), (1, 4, 4), (1, 2, 4), (7, 10, 2), (17, 20, 0)])
def test_harder_prompts_are_seen_more_often(right, of, count):
    assert times(right, of) == count


def test_a_rate_on_a_bound_belongs_to_the_next():
    assert times(2, 10) == 4
    assert times(8, 10) == 0
    assert times(8, 10, otherwise=1) == 1


def test_a_prompt_without_scores_has_no_number():
    _, scores = one([1.0], prompt_id=["q"])
    assert repeats(pairs([{}]), scores)["weight"].to_list() == [None]


def test_bounds_rise_and_scores_are_of_one_kind():
    with pytest.raises(ValueError, match="rising bounds"):
        times(1, 2, below=(0.6, 0.2, 0.8))
    _, scores = one([1.0])
    with pytest.raises(ValueError, match="set criterion"):
        repeats(pairs([{}]), pl.concat([scores, scores.with_columns(criterion=pl.lit("d"))]))
