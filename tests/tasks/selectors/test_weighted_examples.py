import orjson
import polars as pl
import pytest

from tasks.selectors.weighted_examples import weighted_examples
from tests.support.scored import one


def test_weights_of_reward_weighted_regression():
    found = weighted_examples(*one([1.0, 0.5, 0.0]), temperature=0.5)
    assert found["weight"].to_list() == pytest.approx([0.6652, 0.2447, 0.09], abs=6e-5)
    assert found["reward"].to_list() == [1.0, 0.5, 0.0]


def test_weights_of_each_prompt_sum_to_one_and_do_not_overflow():
    found = weighted_examples(*one([1e6, -1e6, 3.0, 3.0], prompt_id=["p", "p", "q", "q"]))
    assert found["weight"].to_list() == [1.0, 0.0, 0.5, 0.5]
    assert [orjson.loads(meta) for meta in found["meta"]] == [{"effective": 1.0, "of": 2}] * 2 + [
        {"effective": 2.0, "of": 2}
    ] * 2


def test_samples_of_another_policy_are_corrected():
    tables = one([0.0, 0.0, 0.0], logprob=[-1.0, -3.0, None], reference_logprob=[-2.0, -2.0, -2.0])
    found = weighted_examples(*tables, off_policy=True)
    # exp(-1) to exp(1); the one without a probability has no weight
    assert found["completion_id"].to_list() == ["000", "001"]
    assert found["weight"].to_list() == pytest.approx([0.1192, 0.8808], abs=6e-5)


def test_the_filtered_share_is_of_all_completions():
    tables = one([4.0, 3.0, 2.0, 1.0], prompt_id=["p", "q", "p", "q"])
    found = weighted_examples(*tables, filtered=0.5).sort("completion_id")
    assert found["label"].to_list() == [True, True, False, False]


def test_the_reward_is_written_for_the_prompt():
    found = weighted_examples(*one([0.5, 1.0]), conditioning="Reward: {reward}.")
    assert found["conditioning"].to_list() == ["Reward: 0.5.", "Reward: 1.0."]
    with pytest.raises(ValueError, match=r"needs \{reward\}"):
        weighted_examples(*one([0.5]), conditioning="Reward")


def test_out_of_range_is_refused():
    with pytest.raises(ValueError, match="temperature is 0"):
        weighted_examples(*one([0.5]), temperature=0.0)


def test_nothing_in_nothing_out():
    completions, scores = one([1.0])
    assert weighted_examples(completions.clear(), scores.clear(), filtered=0.5).height == 0
    assert isinstance(weighted_examples(completions, scores), pl.DataFrame)
