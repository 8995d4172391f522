import json

import pytest

from schemas.exchange import Choice, Reply
from schemas.messages import text_of, to_rows
from tasks.samplers.rewritten import rewritten
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?")}


def several(*texts):
    return Reply(tuple(Choice(i, text) for i, text in enumerate(texts)))


def drive(answers, **settings):
    return Drive(rewritten(PROMPT, policy="m", **settings), answers)


def notes(run):
    return [(json.loads(row["meta"]).get("rewritten"), json.loads(row["meta"])["generation"], text_of(row["messages"]))
            for row in run.rows]  # fmt: skip


def test_answers_to_each_new_prompt_beside_the_plain_one():
    run = drive([several("A?", "B?", "A?", "Q?", " "), "plain", "a", "b"])
    assert run.requests[0].n == 5
    assert [request.messages[-1]["content"] for request in run.requests[1:]] == ["Q?", "A?", "B?"]
    assert notes(run) == [(None, 0, "plain"), ("A?", 1, "a"), ("B?", 1, "b")]
    assert [json.loads(row["meta"])["condition"] for row in run.rows] == ["plain", "rewritten", "rewritten"]


def test_rounds_begin_from_what_the_last_wrote():
    run = drive([several("A?"), several("C?"), "plain", "a", "c"], variants=1, rounds=2)
    assert "A?" in run.requests[1].messages[0]["content"]
    assert [generation for _, generation, _ in notes(run)] == [0, 1, 2]


def test_a_writer_of_its_own_and_no_plain_answer():
    run = drive([several("A?"), "a"], model="writer", variants=1, plain=0)
    assert [request.model for request in run.requests] == ["writer", "m"]
    assert notes(run) == [("A?", 1, "a")]


def test_a_writer_who_fails_leaves_the_plain_answer():
    assert notes(drive([Reply(error="down"), "plain"])) == [(None, 0, "plain")]


def test_numbers_from_one():
    with pytest.raises(ValueError, match="variants 0"):
        drive([], variants=0)
