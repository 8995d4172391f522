import orjson
import pytest

from tasks.selectors.anchored import anchored
from tests.support.scored import one, places

REWARDS = [-12, -6, -5, -4, -3, -3, -2, -2, -1, -1, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]


def test_two_deviations_below_the_mean_is_not_the_outlier():
    found = anchored(*one(REWARDS))
    assert found["chosen_score"].to_list() == [6.0]
    assert found["rejected_score"].to_list() == [-6.0]
    notes = orjson.loads(found["meta"][0])
    assert notes["reward_mean"] == pytest.approx(-0.28)
    assert notes["reward_sd"] == pytest.approx(3.8421, abs=6e-5)
    assert (notes["anchor_chosen"], notes["anchor_rejected"]) == ("max", "-2.0")


@pytest.mark.parametrize(("k", "nearest"), [(-2.0, -6), (-1.0, -4), (0.0, 0), (1.0, 4)])
def test_the_sample_nearest_to_each_anchor(k, nearest):
    assert anchored(*one(REWARDS), rejected=k)["rejected_score"].to_list() == [float(nearest)]


def test_the_highest_anchor_may_be_chosen():
    assert anchored(*one(REWARDS), chosen=2.0, rejected="min").select("chosen_score", "rejected_score").rows() == [
        (6.0, -12.0)
    ]
    assert anchored(*one(REWARDS), chosen=1.0, rejected=2.0).height == 0


def test_a_prompt_without_spread_makes_no_pair():
    assert anchored(*one([1.0, 1.0, 1.0])).height == 0


def test_the_lowest_of_five_drawn_is_the_lowest_of_them():
    tables = one([float(i) for i in range(40)])
    lows = [anchored(*tables, among=5, seed=seed)["rejected_score"][0] for seed in range(300)]
    assert sum(lows) / len(lows) == pytest.approx(40 / 6 - 1, abs=0.9)  # the mean of the least of five of 0 … 39: 35/6
    assert anchored(*tables, among=40)["rejected_score"].to_list() == [0.0]
    with pytest.raises(ValueError, match="among is 0"):
        anchored(*tables, among=0)


def test_of_equally_near_ones_the_first():
    assert places(anchored(*one([0.0, 4.0, 0.0, 4.0]), rejected=-1.0)) == [(1, 0)]
