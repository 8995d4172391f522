import pytest

from tasks.scorers.weighted_sum import weighted_sum
from tests.support.scored import graded

NAMES = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]
WEIGHTS = dict(zip(NAMES, [0.65, 0.8, 0.45, 0.55, -0.4], strict=True))


def total(grades, **chosen):
    found = weighted_sum(graded({"j": grades}), **chosen)
    return found.filter(criterion="overall").sort("completion_id")["score"].to_list()


def test_goodness_of_helpsteer2():
    grades = dict(zip(NAMES, zip((4, 4, 4, 2, 2), (3, 4, 4, 1, 1), (4, 4, 4, 2, 3), strict=True), strict=True))
    assert total(grades, weights=WEIGHTS) == pytest.approx([7.9, 7.1, 7.5])


def test_the_mean_of_the_aspects_there_are():
    grades = {"a": [5], "b": [4], "c": [None], "d": [5]}
    weights = dict.fromkeys(grades, 1.0)
    assert total(grades, weights=weights, missing="skip", mean=True) == pytest.approx([4.6667], abs=6e-5)
    assert total(grades, weights=weights, mean=True) == []  # a failure is never a score: not 3.5


def test_the_parts_come_with_it():
    found = weighted_sum(graded({"j": {"a": [1.0], "b": [2.0]}, "k": {"a": [3.0]}}), weights={"a": 1.0, "b": -1.0})
    parts = {row["criterion"]: (row["score"], row["judgments"]) for row in found.to_dicts()}
    assert parts == {"a": (2.0, 2), "b": (2.0, 1), "overall": (0.0, 3)}


def test_criteria_without_a_weight_do_not_count():
    assert total({"a": [1.0], "b": [9.0]}, weights={"a": 2.0}) == [2.0]


def test_a_sum_has_parts_and_a_name_of_its_own():
    with pytest.raises(ValueError, match="another name is needed"):
        weighted_sum(graded({"j": {"a": [1.0]}}), weights={"overall": 1.0})
