import orjson
import pytest

from tasks.selectors.dominating import dominating
from tests.support.scored import places, scored


def made(right, cost, **chosen):
    return dominating(
        *scored({"right": right, "cost": cost}), criteria=["right", "cost"], smaller_is_better=["cost"], **chosen
    )


def test_better_at_one_thing_and_worse_at_none():
    assert places(made([1, 1, 0], [50, 10, 50])) == [(0, 2), (1, 0), (1, 2)]


def test_each_better_at_something_makes_no_pair():
    assert places(made([1, 0], [50, 10])) == []


def test_equal_ones_make_no_pair():
    assert places(made([1, 1], [10, 10])) == []


def test_the_gaps_are_kept():
    found = made([1, 0], [10, 30])
    assert found["margin"].to_list() == [21.0]
    assert orjson.loads(found["meta"][0]) == {"gaps": {"right": 1.0, "cost": 20.0}}


def test_one_criterion_is_no_pareto_order():
    with pytest.raises(ValueError, match="two or more"):
        dominating(*scored({"a": [1.0, 0.0]}), criteria=["a"])
