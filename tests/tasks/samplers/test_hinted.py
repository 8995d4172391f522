import json

import pytest

from schemas.messages import text_of, to_rows
from tasks.samplers.hinted import hinted
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?"), "reference": "one two three four"}


def drive(answer="rest", prompt=PROMPT, **settings):
    return Drive(hinted(prompt, policy="m", **settings), answer)


def test_shares_of_the_reference_as_hints():
    run = drive(shares=(0.0, 0.5), text="Hint: {hint}", n=1)
    assert [request.messages[-1]["content"] for request in run.requests] == ["Q?", "Q?\n\nHint: one two"]
    assert [json.loads(row["meta"])["hint"] for row in run.rows] == [0.0, 0.5]
    assert [text_of(row["messages"]) for row in run.rows] == ["rest", "rest"]


def test_rolled_in_the_answer_begins_with_the_guide():
    run = drive(" go", shares=(0.25,), place="roll_in")
    assert [request.prefix for request in run.requests] == ["one"]
    assert [(text_of(row["messages"]), row["prefix"]) for row in run.rows] == [("one go", "one")]


def test_a_guide_may_be_asked():
    run = drive(
        lambda request: "A B C D" if request.model == "guide" else " x", model="guide", shares=(0.5,), place="roll_in"
    )
    assert run.rounds == [1, 1]
    assert (run.requests[0].model, run.requests[0].temperature) == ("guide", 0.0)
    assert text_of(run.rows[0]["messages"]) == "A B x"


def test_rolled_out_the_guide_finishes_what_the_policy_began():
    run = drive(
        lambda request: " end" if request.prefix else "a b c d", model="guide", shares=(0.5,), place="roll_out", n=1
    )
    assert [(request.model, request.prefix) for request in run.requests] == [("m", None), ("guide", "a b")]
    assert [text_of(row["messages"]) for row in run.rows] == ["a b c d", "a b end"]


def test_without_a_reference_the_policy_is_alone():
    run = drive(prompt={**PROMPT, "reference": None}, shares=(0.0, 0.5))
    assert len(run.requests) == 1
    assert drive(prompt={**PROMPT, "reference": None}, shares=(0.5,)).rows == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"shares": (1.0,)}, "shares are"), ({"text": "none"}, "with {hint}"), ({"place": "roll_out"}, "needs the guide")],
)
def test_what_does_not_fit_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        drive(**wrong)
