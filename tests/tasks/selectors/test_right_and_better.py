import pytest

from tasks.selectors.right_and_better import right_and_better
from tests.support.scored import places, scored


def made(right, reward, **chosen):
    return places(right_and_better(*scored({"right": right, "like": reward}), right="right", better="like", **chosen))


def test_a_right_one_is_above_all_of_lower_reward_even_right_ones():
    assert made([1, 1, 0], [0.5, 0.4, -1.0]) == [(0, 1), (0, 2), (1, 2)]


def test_a_wrong_one_is_never_chosen():
    assert made([0, 1], [0.9, 0.4]) == []


def test_equal_rewards_make_no_pair():
    assert made([1, 0], [0.5, 0.5]) == []


def test_margin_and_cap():
    assert made([1, 0, 0], [0.9, 0.8, 0.1], min_margin=0.5) == [(0, 2)]
    assert made([1, 0, 0], [0.9, 0.8, 0.1], per_prompt=1) == [(0, 2)]
    with pytest.raises(ValueError, match="per_prompt is 0"):
        made([1, 0], [1, 0], per_prompt=0)
