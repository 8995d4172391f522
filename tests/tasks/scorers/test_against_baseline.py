import pytest

from tasks.scorers.against_baseline import against_baseline
from tests.support.scored import completions, graded


def shaped(rewards, policies, **chosen):
    rows = completions([{"completion_id": f"{i:03d}", "policy": policy} for i, policy in enumerate(policies)])
    judged = graded({"j": {"overall": rewards}})
    found = against_baseline(judged, rows, baseline="reference", **chosen)
    return dict(found.select("completion_id", "score").iter_rows())


def test_the_mean_probability_of_beating_the_references():
    found = shaped([1.0, 0.0, 0.5, 1.5], ["own"] + ["reference"] * 3)
    assert found["000"] == pytest.approx(0.577, abs=6e-5)
    assert shaped([1.0, 0.0], ["own", "reference"])["000"] == pytest.approx(0.7311, abs=6e-5)


@pytest.mark.parametrize(("reward", "calibrated"), [(2.0, 0.69), (0.5, 0.3318)])
def test_rewards_calibrated_by_a_baseline(reward, calibrated):
    assert shaped([reward, 1.2], ["own", "reference"])["000"] == pytest.approx(calibrated, abs=6e-5)


def test_a_constant_changes_nothing_and_equal_rewards_are_a_half():
    one = shaped([1.0, 0.0, 0.5], ["own", "reference", "reference"])
    assert shaped([8.0, 7.0, 7.5], ["own", "reference", "reference"]) == pytest.approx(one)
    assert shaped([2.0, 2.0], ["own", "reference"])["000"] == 0.5


def test_a_prompt_without_a_reference_cannot_be_shaped():
    assert shaped([1.0, 2.0], ["own", "own"]) == {}
    assert shaped([1.0, None], ["own", "reference"]) == {}


def test_slope_is_above_nought():
    with pytest.raises(ValueError, match="slope is 0"):
        shaped([1.0], ["own"], slope=0.0)
