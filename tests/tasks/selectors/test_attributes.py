import orjson
import pytest

from tasks.selectors.attributes import attributes
from tests.support.scored import scored

NAMES = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]
WEIGHTS = [0.65, 0.8, 0.45, 0.55, -0.4]


def test_the_weighted_sum_of_five_attributes():
    tables = scored(dict(zip(NAMES, zip((4, 4, 4, 2, 2), (3, 4, 4, 1, 1), (4, 4, 4, 2, 3), strict=True), strict=True)))
    found = attributes(*tables, criteria=NAMES, weights=WEIGHTS)
    assert found["reward"].to_list() == pytest.approx([7.9, 7.1, 7.5])
    held = orjson.loads(found["meta"][0])["attributes"]
    assert held == dict(zip(NAMES, [4.0, 4.0, 4.0, 2.0, 2.0], strict=True))


def z(scores, **chosen):
    found = attributes(*scored({"rm1": scores}), criteria=["rm1"], standardise=True, **chosen)
    return [orjson.loads(meta)["attributes"]["rm1"] for meta in found["meta"]]


def test_scores_over_the_deviation_of_all():
    assert z([1, 2, 3, 4, 5]) == [-1.4, -0.7, 0.0, 0.7, 1.4]
    assert z([1, 2, 3, 4, 5], sample_sd=True) == [-1.3, -0.6, 0.0, 0.6, 1.3]


def test_no_deviation_is_nought_and_outliers_are_cut():
    assert z([2, 2]) == [0.0, 0.0]
    assert max(z([0] * 99 + [1])) == 4.0
    assert max(z([0] * 99 + [1], highest=None)) == 9.9


def test_goals_are_written_one_an_attribute():
    tables = scored({"rm1": [1, 2, 3, 4, 5], "rm2": [5, 4, 3, 2, 1]})
    found = attributes(*tables, criteria=["rm1", "rm2"], standardise=True, goal="<{name}_score> {value}")
    assert found["conditioning"][3] == "<rm1_score> 0.7 <rm2_score> -0.7"
    assert found["conditioning"][2] == "<rm1_score> 0 <rm2_score> 0"


def test_good_at_one_thing_is_enough_to_stay():
    tables = scored({"a": [9, 0, 0, 0, 1], "b": [0, 9, 0, 0, 1]})
    found = attributes(*tables, criteria=["a", "b"], any_above=0.7)
    assert found["completion_id"].to_list() == ["000", "001", "004"]


def test_a_completion_that_lacks_an_attribute_is_left_out():
    found = attributes(*scored({"a": [1, 2], "b": [1, None]}), criteria=["a", "b"])
    assert found["completion_id"].to_list() == ["000"]


@pytest.mark.parametrize("wrong", [{"weights": [1.0, 2.0]}, {"goal": "no place"}])
def test_weights_and_goal_must_fit(wrong):
    with pytest.raises(ValueError, match="one each"):
        attributes(*scored({"a": [1]}), criteria=["a"], **wrong)
