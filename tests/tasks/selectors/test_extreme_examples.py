import orjson
import polars as pl
import pytest

from tasks.selectors.extreme_examples import extreme_examples, fit
from tests.support.scored import one, scored

REWARDS, OUTCOMES = [3.0, 2.5, 1.2, 1.0, 0.8, -1.0, -2.0], [1, 1, 0, 1, 0, 0, 0]


def test_r_squared_of_all_and_of_the_extremes():
    assert fit(pl.Series(REWARDS), pl.Series(OUTCOMES)) == pytest.approx(0.5267, abs=6e-5)
    assert fit(pl.Series([3.0, 2.5, -1.0, -2.0]), pl.Series([1, 1, 0, 0])) == pytest.approx(0.9666, abs=6e-5)


def test_constant_rewards_have_no_r_squared():
    assert fit(pl.Series([1.0, 1.0]), pl.Series([0.0, 1.0])) is None
    assert fit(pl.Series([1.0, 2.0]), pl.Series([None, 1.0])) is None


def ids(found):
    return [int(name) for name in found["completion_id"]]


def test_each_filter():
    tables = one([1.0, 3.0, 2.0, 0.0])
    assert ids(extreme_examples(*tables, keep="best")) == [1]
    assert ids(extreme_examples(*tables, keep="best_worst")) == [1, 3]
    drawn = [ids(extreme_examples(*tables, keep="best_random", seed=seed)) for seed in range(200)]
    assert {tuple(each) for each in drawn} == {(0, 1), (1, 2), (1, 3)}


def test_a_lone_completion_is_kept_once():
    assert ids(extreme_examples(*one([1.0]), keep="best_worst")) == [0]
    assert ids(extreme_examples(*one([1.0]), keep="best_random")) == [0]


def test_the_most_reliable_filter_is_taken_and_named():
    prompts = ["p", "p", "p", "q", "q", "q"]
    tables = scored({"reward": [3, 1.1, -1, 2.5, 1, -2], "passed": [1, 0, 0, 1, 1, 0]}, prompt_id=prompts)
    found = extreme_examples(*tables, keep="most_reliable", outcome="passed", criterion="reward")
    note = orjson.loads(found["meta"][0])
    assert note["kept_by"] == "best_worst"
    assert note["filter_r2"] == pytest.approx(0.9666, abs=6e-5)
    assert ids(found) == [0, 2, 3, 5]
    assert found["reward"].to_list() == [3.0, -1.0, 2.5, -2.0]


def test_reliability_needs_an_outcome():
    with pytest.raises(ValueError, match="no filter has an R"):
        extreme_examples(*one([1.0, 2.0]), keep="most_reliable")
