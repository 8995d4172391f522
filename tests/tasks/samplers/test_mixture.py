from math import exp, log

import pytest

from schemas.exchange import Choice, Reply, Token
from schemas.messages import text_of, to_rows
from tasks.samplers.mixture import mixed, mixture
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?")}


def chances(*shares):
    return {str(i): log(share) for i, share in enumerate(shares)}


@pytest.mark.parametrize(
    ("policy", "reference", "c", "wanted"),
    [
        ((0.8, 0.2), (0.2, 0.8), 0.5, (0.5, 0.5)),
        ((0.8, 0.2), (0.2, 0.8), 0.25, (0.6667, 0.3333)),
        ((0.9, 0.1), (0.5, 0.5), 0.125, (0.8724, 0.1276)),
        ((0.8, 0.2), (0.2, 0.8), 0.0, (0.8, 0.2)),
        ((0.8, 0.2), (0.2, 0.8), 1.0, (0.2, 0.8)),
    ],
)
def test_the_geometric_mixture(policy, reference, c, wanted):
    found = mixed(chances(*policy), chances(*reference), c)
    assert [exp(found[str(i)]) for i in range(2)] == pytest.approx(wanted, abs=6e-5)


def test_only_what_both_name_can_be_drawn():
    assert mixed({"a": -1.0, "b": -1.0}, {"b": -2.0, "c": -0.1}, 0.5) == {"b": 0.0}
    assert mixed({"a": 0.0}, {"c": 0.0}, 0.5) == {"a": 0.0}


def engine(request):
    """Two tokens, then an end; the reference prefers the other."""
    if len(request.prefix or "") >= 2:
        top = (("<|end|>", log(0.99)), ("x", log(0.01)))
    else:
        top = (("a", log(0.8)), ("b", log(0.2))) if request.model == "m" else (("a", log(0.2)), ("b", log(0.8)))
    return Reply((Choice(0, top[0][0], "truncated", "length", tokens=(Token(top[0][0], top[0][1], top),)),))


def drive(answer=engine, **settings):
    return Drive(mixture(PROMPT, policy="m", reference_model="ref", **settings), answer)


def test_token_by_token_until_the_end():
    run = drive(n=40, coefficient=0.5)
    assert {(row["finish_reason"], row["completion_tokens"]) for row in run.rows} == {("stop", 3)}
    letters = "".join(text_of(row["messages"]) for row in run.rows)
    assert len(letters) == 80
    assert letters.count("a") == pytest.approx(40, abs=14)
    assert run.rows[0]["logprob"] == pytest.approx(2 * log(0.5), abs=0.02)
    # samples with the same beginning share a question: one beginning, then at most two, then at most four
    assert run.rounds[0] == 2
    assert max(run.rounds) <= 8


def test_coefficient_nought_is_the_policy():
    letters = "".join(text_of(row["messages"]) for row in drive(n=60, coefficient=0.0).rows)
    assert letters.count("a") / 120 == pytest.approx(0.8, abs=0.12)


def test_a_sample_that_ran_out_of_tokens_is_cut():
    assert [row["finish_reason"] for row in drive(max_tokens=2).rows] == ["length"]


def test_a_failed_call_gives_no_row_and_an_endpoint_without_alternatives_is_refused():
    assert drive(Reply(error="down")).rows == []
    with pytest.raises(ValueError, match="names no likeliest tokens"):
        drive("text")
    with pytest.raises(ValueError, match="coefficient is 2"):
        drive(coefficient=2.0)
