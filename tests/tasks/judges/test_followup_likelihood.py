import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Reply, Token
from tasks.judges.followup_likelihood import NEGATIVE, POSITIVE, followup_likelihood
from tests.support.judging import PROMPT, Drive, between, completions, meta, said


def scored(*logprobs):
    """A follow-up whose tokens have these log-probabilities."""
    return said("", value=sum(logprobs), tokens=[Token("x", logprob) for logprob in logprobs])


def judged(texts, answer, **settings):
    return Drive(followup_likelihood(PROMPT, completions(*texts), model="m", **settings), answer)


TWO = {"positive": ["Thanks!", "Great."], "negative": ["No.", "Wrong."]}


def test_the_worked_example():
    # positive -10 and -12, negative -15 and -11: -11 - (-13) = 2
    drive = judged(("2",), [scored(-10.0), scored(-12.0), scored(-15.0), scored(-11.0)], per="followup", **TWO)
    assert drive.rounds == [4]
    assert drive.rows[0]["score"] == 2.0
    assert meta(drive.rows[0]) == {"positive": [-10.0, -12.0], "negative": [-15.0, -11.0]}
    assert [request.prefix for request in drive.requests] == ["Thanks!", "Great.", "No.", "Wrong."]
    assert between(drive.contents[0], "assistant") == "2"
    assert between(drive.contents[0], "user") == "Name a prime."


def test_a_followup_is_the_sum_of_all_its_tokens_not_one_position():
    script = [scored(-1.0, -2.0), scored(-4.0)]
    one = {"positive": ["a b"], "negative": ["c"]}
    assert judged(("2",), script, per="followup", **one).rows[0]["score"] == 1.0
    assert judged(("2",), script, per="token", **one).rows[0]["score"] == 2.5


def test_one_followup_that_failed_leaves_no_score():
    drive = judged(("2",), [scored(-1.0), scored(-1.0), Reply(error="500"), scored(-1.0)], **TWO)
    assert (drive.rows[0]["outcome"], drive.rows[0]["score"]) == ("error", None)
    untold = judged(("2",), [scored(-1.0), said("", value=-1.0), scored(-1.0), scored(-1.0)], **TWO)
    assert (untold.rows[0]["outcome"], untold.rows[0]["score"]) == ("unparsable", None)


@given(st.lists(st.floats(-50, 0), min_size=4, max_size=4), st.floats(-5, 5))
def test_a_constant_changes_nothing_and_exchanging_the_lists_negates(logprobs, more):
    def score(values):
        return judged(("2",), [scored(value) for value in values], per="followup", **TWO).rows[0]["score"]

    plain = score(logprobs)
    assert score([value + more for value in logprobs]) == pytest.approx(plain, abs=1e-9)
    assert score(logprobs[2:] + logprobs[:2]) == pytest.approx(-plain, abs=1e-9)


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        judged(("2",), "", positive=[])


def test_the_default_followups_are_as_many_good_as_bad():
    assert len(POSITIVE) == len(NEGATIVE) == len({*POSITIVE, *NEGATIVE}) / 2
