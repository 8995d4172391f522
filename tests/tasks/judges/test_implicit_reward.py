import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Reply
from tasks.judges.implicit_reward import implicit_reward
from tests.support.judging import PROMPT, Drive, completions, meta, said

SETTINGS = {"policy": "tuned", "reference_model": "base"}


def judged(texts, answer, **settings):
    return Drive(implicit_reward(PROMPT, completions(*texts), **SETTINGS, **settings), answer)


def models(tuned, base):
    def answer(request):
        chances = tuned if request.model == "tuned" else base
        return said("", value=chances[request.messages[-1]["content"]])

    return answer


def test_the_reward_is_the_log_ratio_of_the_two_models():
    drive = judged(("ab", "abcd"), models({"ab": -2.0, "abcd": -6.0}, {"ab": -5.0, "abcd": -5.0}))
    assert drive.rounds == [4]
    assert [row["score"] for row in drive.rows] == [3.0, -1.0]
    assert meta(drive.rows[0]) == {"policy_logprob": -2.0, "reference_logprob": -5.0, "characters": 2}


def test_length_has_its_price():
    # prompt 1 of DICE's worked example: scores 12, 9, 7, 2 at 400, 200, 150, 100 characters
    texts = ["x" * n for n in (400, 200, 150, 100)]
    tuned = dict(zip(texts, (12.0, 9.0, 7.0, 2.0), strict=True))
    rows = judged(texts, models(tuned, dict.fromkeys(texts, 0.0)), length_penalty=0.02).rows
    assert [row["score"] for row in rows] == pytest.approx([4.0, 5.0, 4.0, 0.0])


def test_beta_scales_the_ratio_alone():
    rows = judged(("ab",), models({"ab": -2.0}, {"ab": -5.0}), beta=0.1, length_penalty=1.0).rows
    assert rows[0]["score"] == pytest.approx(0.3 - 2)


@pytest.mark.parametrize("at", [0, 1])
def test_without_one_of_the_two_there_is_no_reward(at):
    script = [said("", value=-1.0), said("", value=-1.0)]
    script[at] = Reply(error="gone")
    row = judged(("ab",), script).rows[0]
    assert (row["outcome"], row["score"]) == ("error", None)


def test_a_model_against_itself_is_refused():
    with pytest.raises(ValueError, match="both m"):
        Drive(implicit_reward(PROMPT, completions("a"), policy="m", reference_model="m"), "")


@given(st.floats(-1e3, 0), st.floats(-1e3, 0))
def test_exchanging_the_models_negates_the_reward(one, other):
    (row,) = judged(("ab",), models({"ab": one}, {"ab": other})).rows
    (back,) = judged(("ab",), models({"ab": other}, {"ab": one})).rows
    assert row["score"] == -back["score"]
