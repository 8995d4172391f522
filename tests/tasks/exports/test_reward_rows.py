import pytest

from tasks.exports.reward_rows import reward_rows
from tests.support.exported import examples
from tests.support.scored import completions

SAMPLED = completions([{"completion_id": "000", "finish_reason": "length", "logprob": -3.5, "completion_tokens": 7}])


def test_each_sample_of_a_prompt_has_its_reward_and_advantage():
    rows = reward_rows(
        examples(
            {"prompt_id": "q", "reward": 1.0, "meta": '{"advantage":0.5}'},
            {"prompt_id": "p", "reward": 0.0},
            {"prompt_id": "q", "reward": 0.5, "meta": '{"advantage":-0.5}'},
        ),
        SAMPLED,
    )
    assert rows["prompt_id"].to_list() == ["p", "q", "q"]
    assert rows["reward"].to_list() == [0.0, 1.0, 0.5]
    assert rows["advantage"].to_list() == [None, 0.5, -0.5]
    assert rows["samples"].to_list() == [1, 2, 2]


def test_a_missing_reward_is_not_nought():
    with pytest.raises(ValueError, match="example e0: there is no reward"):
        reward_rows(examples({"label": True}), SAMPLED)


def test_an_answer_that_was_cut_says_so_and_what_the_sampler_gave_it():
    rows = reward_rows(
        examples({"reward": 1.0, "completion_id": "000"}, {"reward": 0.0, "completion_id": "gone"}), SAMPLED
    )
    assert rows.select("truncated", "logprob", "completion_tokens").rows() == [(True, -3.5, 7), (None, None, None)]
