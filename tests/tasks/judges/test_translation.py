import pytest

from schemas.exchange import Reply, Token
from tasks.judges.translation import translation
from tests.support.judging import PROMPT, Drive, between, completions, said


def scored(*logprobs):
    return said("", value=sum(logprobs), tokens=[Token("x", logprob) for logprob in logprobs])


def judged(texts, answer, **settings):
    return Drive(translation(PROMPT, completions(*texts), model="m", **settings), answer)


def test_the_score_is_one_over_the_mean_cross_entropy():
    drive = judged(("deux", "neuf"), [scored(-1.0, -3.0), scored(-2.5, -2.5, -2.5)])
    assert [row["score"] for row in drive.rows] == [0.5, 0.4]
    assert {request.prefix for request in drive.requests} == {"2"}
    assert between(drive.contents[0], "text") == "deux"
    assert "into English" in drive.contents[0]


def test_an_answer_that_repeats_a_line_comes_last_and_is_flagged():
    drive = judged(("a = 1\nb = 2\n a = 1", "a = 1\nb = 2"), scored(-1.0))
    assert [(row["score"], row["flags"]) for row in drive.rows] == [(-1.0, ["repeated_lines"]), (1.0, [])]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(error="500"), "error"),
        (said("", value=-3.0), "unparsable"),
        (said("", value=None), "unparsable"),
        (scored(0.0), "unparsable"),
    ],
)
def test_a_failure_is_never_a_score_even_of_a_repeating_answer(reply, outcome):
    for text in ("deux", "a\na"):
        row = judged((text,), reply).rows[0]
        assert (row["outcome"], row["score"]) == (outcome, None)
