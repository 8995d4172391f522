import pytest

from tasks.exports.weighted_pairs import weighted_pairs
from tests.support.preferences import pairs


def test_what_is_known_of_a_pair_comes_along_under_the_trainers_names():
    known = {
        "weight": 0.25, "strength": 2.0, "margin": 1.5, "chosen_score": 4.0, "rejected_score": 2.5,
        "chosen_logprob": -3.0, "rejected_logprob": -4.0, "chosen_reference_logprob": -5.0,
        "rejected_reference_logprob": -6.0, "meta": '{"logit_scale":2.5}',
    }  # fmt: skip
    row = weighted_pairs(pairs([known])).row(0, named=True)
    wanted = {
        "weight": 0.25, "strength": 2.0, "margin": 1.5, "beta_factor": 2.5, "chosen_reward": 4.0,
        "rejected_reward": 2.5, "chosen_logps": -3.0, "ref_chosen_logps": -5.0, "ref_rejected_logps": -6.0,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted


def test_no_weight_is_one_and_a_negative_weight_is_refused():
    assert weighted_pairs(pairs([{}]))["weight"].to_list() == [1.0]
    with pytest.raises(ValueError, match="pair 0: weight is below 0"):
        weighted_pairs(pairs([{"weight": -0.5}]))
