import pytest

from tasks.selectors.degrees import degrees
from tests.support.scored import one, places


def made(scores, count=3):
    found = degrees(*one(scores), degrees=count)
    return dict(zip(found["level"], places(found), strict=True))


def test_evenly_spaced_from_weak_to_strong():
    assert made([6, 5, 4, 3, 2, 1, 0]) == {"1": (0, 2), "2": (0, 4), "3": (0, 6)}


def test_as_many_degrees_as_lower_scores():
    assert made([2, 1, 0], 2) == {"1": (0, 1), "2": (0, 2)}


def test_fewer_scores_than_degrees_keep_the_stronger():
    assert made([2, 1, 0]) == {"2": (0, 1), "3": (0, 2)}
    assert made([1, 0]) == {"3": (0, 1)}


def test_equal_scores_are_one_degree_by_its_first():
    assert made([2, 1, 1, 0, 2], 2) == {"1": (0, 1), "2": (0, 3)}


def test_a_tie_makes_no_pair():
    assert made([1, 1]) == {}


def test_no_degree_is_refused():
    with pytest.raises(ValueError, match="degrees is 0"):
        made([1, 0], 0)
