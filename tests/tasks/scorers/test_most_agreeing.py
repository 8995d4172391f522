import pytest

from tasks.scorers.most_agreeing import most_agreeing
from tests.support.scored import graded


def mean(ratings, **chosen):
    found = most_agreeing(graded({f"annotator{i}": {"helpfulness": [r]} for i, r in enumerate(ratings)}), **chosen)
    return found["score"].to_list()


def test_the_three_that_lie_closest_together():
    assert mean([2, 2, 3, -1, -3]) == pytest.approx([2.3333], abs=6e-5)
    assert mean([0, 4, 4, 4, 1]) == [4.0]


def test_equally_narrow_choices_are_averaged():
    assert mean([0, 1, 2, 3]) == [1.5]


def test_too_few_ratings_are_no_score():
    assert mean([1, 2]) == []
    assert mean([1, 2], least=1) == [1.5]
    assert mean([1, None, 2, 2], least=3) == pytest.approx([5 / 3])


def test_at_least_one_is_kept():
    with pytest.raises(ValueError, match="keep is 0"):
        mean([1], keep=0)
