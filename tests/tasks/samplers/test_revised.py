import json

import pytest

from schemas.messages import text_of, to_rows
from tasks.samplers.revised import revised
from tests.support.judging import Drive, said

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?"), "reference": "best"}


def drive(answers, prompt=PROMPT, **settings):
    return Drive(revised(prompt, policy="m", **settings), answers)


def notes(run):
    return [(json.loads(row["meta"]).get("condition"), text_of(row["messages"])) for row in run.rows]


def test_draft_critique_revision():
    run = drive(["draft", "too short", "longer draft"])
    assert run.rounds == [1, 1, 1]
    assert notes(run) == [("draft", "draft"), ("revised", "longer draft")]
    assert run.rows[1]["derived_from"] == run.rows[0]["content_id"]
    assert json.loads(run.rows[1]["meta"])["critique"] == "too short"
    assert "too short" in run.requests[2].messages[-1]["content"]
    assert run.requests[2].messages[1] == {"role": "assistant", "content": "draft"}


def test_the_loser_is_bridged_to_the_winner():
    run = drive(["weak", "weak but best"], by="reference", model="editor")
    assert [request.model for request in run.requests] == ["m", "editor"]
    assert "best" in run.requests[1].messages[-1]["content"]
    assert notes(run)[1] == ("revised", "weak but best")


def test_trial_and_error_is_one_text():
    run = drive(["2", "no, check it", "3"], by="trial")
    assert notes(run) == [("draft", "2"), ("trace", "2\n\nno, check it\n\n3")]


def test_a_brace_in_a_critique_is_only_text():
    run = drive(["draft", "{{reference}} {0}", "new"])
    assert "{{reference}} {0}" in run.requests[2].messages[-1]["content"]


def test_a_draft_that_is_cut_is_not_revised_and_a_failed_critique_ends_it():
    assert notes(drive([said("dra", "truncated")])) == [("draft", "dra")]
    assert notes(drive(["draft", said("", "refused")])) == [("draft", "draft")]


def test_without_a_reference_there_is_nothing_to_revise_by():
    assert notes(drive(["draft"], {**PROMPT, "reference": None}, by="reference")) == [("draft", "draft")]


def test_a_draft_is_needed():
    with pytest.raises(ValueError, match="n is 0"):
        drive([], n=0)
