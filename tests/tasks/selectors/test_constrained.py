import pytest

from tasks.selectors.constrained import constrained
from tests.support.scored import places, scored


def made(rewards, kept, **more):
    tables = scored({"reward": rewards, "safe": kept, **more})
    limits = {"safe": 1.0, **dict.fromkeys(more, 1.0)}
    return constrained(*tables, reward="reward", constraints=limits)


def test_the_chosen_may_have_the_lower_reward():
    found = made([2.0, 3.0, 0.5], [1, 0, 1])
    assert places(found) == [(0, 1)]
    assert found["margin"].to_list() == [-1.0]
    assert found["level"].to_list() == ["constraint"]


def test_all_violated_makes_no_pair():
    assert made([2.0, 3.0, 0.5], [0, 0, 0]).height == 0


def test_none_violated_falls_back_on_the_reward():
    found = made([2.0, 3.0, 0.5], [1, 1, 1])
    assert places(found) == [(1, 2)]
    assert found["level"].to_list() == ["reward"]
    assert made([2.0, 2.0], [1, 1]).height == 0


def test_every_constraint_must_hold():
    assert places(made([2.0, 3.0, 0.5], [1, 1, 1], polite=[0, 1, 0])) == [(1, 2)]


def test_a_judge_that_failed_did_not_say_no():
    assert places(made([2.0, 3.0, 0.5], [1, None, 1])) == [(0, 2)]


def test_the_worst_of_the_violators_is_rejected():
    assert places(made([2.0, 3.0, -1.0, 1.0], [1, 0, 0, 1])) == [(0, 2)]


def test_constraints_and_criteria_must_be_there():
    tables = scored({"reward": [1.0, 2.0]})
    with pytest.raises(ValueError, match="constraints are empty"):
        constrained(*tables, reward="reward", constraints={})
    with pytest.raises(ValueError, match="no scores by criterion 'safe'"):
        constrained(*tables, reward="reward", constraints={"safe": 1.0})
