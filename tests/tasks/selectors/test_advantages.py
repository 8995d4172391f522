import orjson
import polars as pl
import pytest

from tasks.selectors.advantages import advantages
from tests.support.scored import one


def made(scores, **more):
    chosen = {name: more.pop(name) for name in ("baseline", "keep_constant", "wrong_weight", "right") if name in more}
    found = advantages(*one(scores, **more), **chosen)
    return found, [orjson.loads(meta)["advantage"] for meta in found["meta"]]


def test_the_reward_less_the_mean_of_the_others():
    found, over = made([1, 1, 1, -1, -1, -1, -1, -1], wrong_weight=0.5, right=0.0)
    assert over == pytest.approx([1.4286 - 0.1786] * 0 + [1 - (2 - 5) / 7] * 3 + [-1 - (3 - 4) / 7] * 5)
    assert over[0] == pytest.approx(1.4286, abs=6e-5)
    assert over[-1] == pytest.approx(-0.8571, abs=6e-5)
    assert sum(over) == pytest.approx(0.0)
    assert found["weight"].to_list() == [1.0] * 3 + [0.5] * 5


def test_equal_texts_count_each():
    _, over = made([1, 1, 0], content_id=["same", "same", "other"])
    assert over == pytest.approx([0.5, 0.5, -1.0])


def test_groups_all_right_or_all_wrong_are_dropped():
    assert made([1, 1])[0].height == 0
    found, over = made([1, 1], keep_constant=True)
    assert found.height == 2
    assert over == [0.0, 0.0]


def test_other_baselines():
    assert made([1, 0], baseline="mean")[1] == [0.5, -0.5]
    assert made([3, 1], baseline="standardised")[1] == [1.0, -1.0]
    assert made([1, 1], baseline="standardised", keep_constant=True)[1] == [0.0, 0.0]  # never NaN


def test_a_lone_completion_has_no_others():
    assert made([1], keep_constant=True)[1] == [0.0]


def test_the_greedy_answers_reward_may_be_the_baseline():
    completions, scores = one([0.25, 1.0, 0.0, 0.5], prompt_id=["p", "p", "p", "q"])
    cold = ['{"temperature":0.0}', '{"temperature":1.0}', '{"temperature":1.0}', '{"temperature":1.0}']
    found = advantages(completions.with_columns(sampling=pl.Series(cold)), scores, baseline="greedy")
    assert found["completion_id"].to_list() == ["001", "002"]  # q has no greedy answer
    assert [orjson.loads(meta)["advantage"] for meta in found["meta"]] == [0.75, -0.25]
