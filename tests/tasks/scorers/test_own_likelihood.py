from tasks.scorers.own_likelihood import own_likelihood
from tests.support.scored import completions


def test_log_probability_a_token_where_both_are_known():
    rows = completions([
        {"completion_id": "a", "logprob": -12.0, "completion_tokens": 6},
        {"completion_id": "b", "logprob": -20.0, "completion_tokens": 8}, {"completion_id": "c", "logprob": -1.0},
        {"completion_id": "d", "completion_tokens": 3}, {"completion_id": "e", "logprob": 0.0, "completion_tokens": 0},
    ])  # fmt: skip
    assert own_likelihood(rows).select("completion_id", "score").rows() == [("a", -2.0), ("b", -2.5)]
