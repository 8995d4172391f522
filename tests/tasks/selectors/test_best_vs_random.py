import pytest

from tasks.selectors.best_vs_random import best_vs_random
from tests.support.scored import one, places


@pytest.mark.parametrize("seed", range(20))
def test_of_two_bests_the_first_and_never_the_other_is_rejected(seed):
    ((best, other),) = places(best_vs_random(*one([4.5, 4.0, 4.5, 3.0]), seed=seed))
    assert best == 0
    assert other in (1, 3)


def test_every_lower_completion_is_drawn_in_the_end():
    tables = one([0.1, 0.9, 0.5, 0.3])
    drawn = {places(best_vs_random(*tables, seed=seed))[0][1] for seed in range(1000)}
    assert drawn == {0, 2, 3}


def test_the_draw_is_even():
    tables = one([2.0, 1.0, 1.5, 0.0])
    drawn = [places(best_vs_random(*tables, seed=seed))[0][1] for seed in range(1500)]
    assert [drawn.count(place) for place in (1, 2, 3)] == pytest.approx([500] * 3, abs=75)


def test_all_tied_makes_no_pair():
    assert places(best_vs_random(*one([4.0, 4.0, 4.0]))) == []


def test_what_is_drawn_lies_below_by_more_than_the_margin():
    assert places(best_vs_random(*one([4.0, 3.5, 2.0]), min_margin=0.5)) == [(0, 2)]
    with pytest.raises(ValueError, match="min_margin is -1"):
        best_vs_random(*one([1.0]), min_margin=-1.0)
