import math

import pytest

from schemas.exchange import Reply, Token
from tasks.judges.relevance import relevance, unique_trigrams
from tests.support.judging import PROMPT, Drive, completions, meta, said


def scored(*logprobs):
    return said("", value=sum(logprobs), tokens=[Token("x", logprob) for logprob in logprobs])


def judged(texts, answer, prompt=PROMPT, **settings):
    return Drive(relevance(prompt, completions(*texts), model="m", **settings), answer)


def test_the_worked_example():
    # 8 words, 6 trigrams of which 5 are unique; relevance is half a token's probability
    row = judged(("a b c a b c d e",), scored(math.log(0.5), math.log(0.5))).rows[0]
    assert meta(row) == {"relevance": pytest.approx(0.5), "length": 0.08, "repetition": pytest.approx(5 / 6)}
    assert row["score"] == pytest.approx(0.5 * 0.08 * 5 / 6)


def test_the_task_is_what_the_answer_has_to_make_likely():
    drive = judged(("2",), scored(-1.0))
    assert drive.requests[0].prefix == "Name a prime."
    closed = judged(("two",), scored(-1.0), query="closed")
    assert closed.requests[0].prefix == "2"
    assert meta(closed.rows[0])["length"] == 1.0


def test_repeating_a_text_lengthens_it_and_lowers_its_variety():
    once, twice = judged(("a b c d", "a b c d a b c d"), scored(-1.0)).rows
    assert meta(twice)["length"] == 2 * meta(once)["length"]
    assert meta(twice)["repetition"] < meta(once)["repetition"]


def test_fewer_than_three_words_have_no_trigram_to_repeat():
    assert unique_trigrams(["a", "a"]) == 1.0
    assert unique_trigrams([]) == 1.0
    assert unique_trigrams(["a"] * 5) == pytest.approx(1 / 3)


def test_each_regulariser_can_be_left_out():
    row = judged(("a a a a",), scored(-1.0), length_incentive=False, repetition_penalty=False).rows[0]
    assert row["score"] == pytest.approx(math.exp(-1))


@pytest.mark.parametrize(("reply", "outcome"), [(Reply(error="x"), "error"), (said("", value=-1.0), "unparsable")])
def test_a_failure_is_never_a_score(reply, outcome):
    row = judged(("2",), reply).rows[0]
    assert (row["outcome"], row["score"]) == (outcome, None)


def test_a_closed_question_needs_a_reference():
    with pytest.raises(ValueError, match="needs a reference"):
        judged(("2",), scored(-1.0), PROMPT | {"reference": None}, query="closed")
