import orjson
import pytest

from tasks.selectors.triples import triples
from tests.support.scored import one


def made(scores, **more):
    chosen = {name: more.pop(name) for name in ("own", "source") if name in more}
    found = triples(*one(scores, **more), **chosen)
    return [([int(i) for i in ids], rewards) for ids, rewards in found.select("completion_ids", "rewards").iter_rows()]


def test_the_best_the_second_and_the_worst():
    assert made([9, 7, 4, 7]) == [([0, 1, 2], [9.0, 7.0, 4.0])]


def test_a_tie_of_the_two_best_makes_none():
    assert made([9, 9, 4, 2]) == []


def test_three_distinct_scores_are_needed():
    assert made([9, 7]) == []
    assert made([9, 7, 7]) == []


def test_the_first_of_the_worst():
    assert made([9, 7, 4, 4]) == [([0, 1, 2], [9.0, 7.0, 4.0])]


def test_a_source_models_best_beside_our_own_best_and_worst():
    policies = ["source", "source", "own", "own", "own"]
    assert made([3, 8, 5, 2, 4], policy=policies, own="own") == [([1, 2, 3], [8.0, 5.0, 2.0])]
    assert made([3, 1, 5, 2, 4], policy=policies, own="own") == [([0, 2, 3], [3.0, 5.0, 2.0])]


def test_our_own_must_differ_and_a_source_must_be_there():
    assert made([3, 5, 5], policy=["source", "own", "own"], own="own") == []
    assert made([3, 5, 4], policy=["own"] * 3, own="own") == []


def test_the_roles_are_named():
    assert orjson.loads(triples(*one([3, 2, 1]))["meta"][0]) == {"roles": ["reference", "chosen", "rejected"]}


def test_the_source_may_be_named_instead():
    policies = ["source", "source", "own", "own", "own"]
    assert made([3, 8, 5, 2, 4], policy=policies, source="source") == [([1, 2, 3], [8.0, 5.0, 2.0])]
    with pytest.raises(ValueError, match="one of them"):
        made([1], own="a", source="b")
