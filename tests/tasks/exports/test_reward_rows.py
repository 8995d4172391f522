import pytest

from tasks.exports.reward_rows import reward_rows
from tests.support.exported import examples


def test_each_sample_of_a_prompt_has_its_reward_and_advantage():
    rows = reward_rows(
        examples(
            {"prompt_id": "q", "reward": 1.0, "meta": '{"advantage":0.5}'},
            {"prompt_id": "p", "reward": 0.0},
            {"prompt_id": "q", "reward": 0.5, "meta": '{"advantage":-0.5}'},
        )
    )
    assert rows["prompt_id"].to_list() == ["p", "q", "q"]
    assert rows["reward"].to_list() == [0.0, 1.0, 0.5]
    assert rows["advantage"].to_list() == [None, 0.5, -0.5]
    assert rows["samples"].to_list() == [1, 2, 2]


def test_a_missing_reward_is_not_nought():
    with pytest.raises(ValueError, match="example e0: there is no reward"):
        reward_rows(examples({"label": True}))
