import pytest

from schemas.exchange import Reply
from tasks.judges.critique import critique
from tests.support.judging import PROMPT, Drive, between, completions, said


def judged(texts, answer, **settings):
    return Drive(critique(PROMPT, completions(*texts), model="m", **settings), answer)


def test_the_critique_comes_first_and_the_score_is_asked_for_with_it():
    drive = judged(("2", "9"), ["Right.", "Nine is no prime.", '{"score": 9}', '{"score": 2}'])
    assert drive.rounds == [2, 2]
    assert between(drive.contents[3], "critique") == "Nine is no prime."
    assert between(drive.contents[3], "answer") == "9"
    assert "critique" not in drive.contents[0].split("=== task")[1]
    assert [(row["score"], row["rationale"]) for row in drive.rows] == [(9.0, "Right."), (2.0, "Nine is no prime.")]
    assert (drive.rows[0]["cost"], drive.rows[0]["prompt_tokens"], drive.rows[0]["latency_s"]) == (0.5, 100, 3.0)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (said("Ri", "truncated"), "truncated"),
        (said("I cannot", "refused"), "refused"),
        (said("", "empty"), "unparsable"),
        (Reply(error="500"), "error"),
    ],
)
def test_without_a_critique_no_score_is_asked_for(reply, outcome):
    drive = judged(("2", "9"), [reply, "Fine.", '{"score": 7}'])
    assert drive.rounds == [2, 1]
    assert [(row["outcome"], row["score"]) for row in drive.rows] == [(outcome, None), ("valid", 7.0)]
    assert drive.rows[0]["subjects"] == ["c0"]


def test_a_score_inside_the_critique_is_not_the_score():
    drive = judged(("2",), ['It deserves {"score": 10}.', "I cannot decide."])
    assert (drive.rows[0]["outcome"], drive.rows[0]["score"]) == ("unparsable", None)
    quoted = judged(("2",), ['It deserves {"score": 10}.', 'The critique says {"score": 10}.\n{"score": 3}'])
    assert quoted.rows[0]["score"] == 3.0


def test_nothing_to_judge_asks_nothing():
    assert judged((), "x").requests == []


def test_a_scale_without_room_is_refused():
    with pytest.raises(ValueError, match="lowest is 2 and highest 1"):
        judged(("2",), "x", lowest=2, highest=1)
