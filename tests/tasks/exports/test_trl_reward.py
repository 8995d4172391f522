import pytest

from tasks.exports.trl_reward import trl_reward
from tests.support.preferences import pairs


def test_without_a_margin_it_is_the_pairs_alone():
    assert trl_reward(pairs([{"margin": 2.0}])).columns == ["prompt", "chosen", "rejected"]


def test_a_margin_is_the_strength_times_the_scale():
    rows = trl_reward(pairs([{"strength": 3.0}, {"strength": -0.5}]), by="strength", scale=0.5)
    assert rows["margin"].to_list() == [1.5, -0.25]


def test_a_pair_without_a_margin_is_refused_where_others_have_one():
    with pytest.raises(ValueError, match="pair 1: there is no margin"):
        trl_reward(pairs([{"margin": 2.0}, {}]), by="margin")
