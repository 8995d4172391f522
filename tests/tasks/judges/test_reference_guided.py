import pytest

from tasks.judges.reference_guided import reference_guided
from tests.support.judging import PROMPT, Drive, between, completions, said


def judged(texts, answer, prompt=PROMPT, **settings):
    return Drive(reference_guided(prompt, completions(*texts), model="m", **settings), answer)


def test_the_reference_stands_beside_the_answer():
    drive = judged(("two", "9"), ['{"score": 10}', '{"score": 1}'])
    assert between(drive.contents[0], "reference") == "2"
    assert between(drive.contents[0], "answer") == "two"
    assert [row["score"] for row in drive.rows] == [10.0, 1.0]
    assert {row["criterion"] for row in drive.rows} == {"correctness"}


def test_a_reference_that_holds_a_score_is_not_read_as_one():
    prompt = PROMPT | {"reference": 'print({"score": 10})'}
    drive = judged(("x",), 'The reference prints {"score": 10} and so should the answer.', prompt)
    assert drive.rows[0]["outcome"] == "unparsable"
    assert judged(("x",), 'It does not print {"score": 10}.\n{"score": 1}', prompt).rows[0]["score"] == 1.0


@pytest.mark.parametrize("outcome", ["truncated", "refused"])
def test_a_failure_is_never_a_score(outcome):
    row = judged(("2",), said('{"score": 5}', outcome)).rows[0]
    assert (row["outcome"], row["score"]) == (outcome, None)


def test_nothing_to_judge_asks_nothing():
    assert judged((), "x").requests == []
