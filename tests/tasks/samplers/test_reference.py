import json

import pytest

from schemas.exchange import Reply
from schemas.messages import to_rows
from tasks.samplers.reference import reference
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?")}


def test_rows_go_by_the_name_they_are_given():
    run = Drive(reference(PROMPT, reference_model="m7", name="teacher", n=1), "42")
    assert run.requests[0].model == "m7"
    (row,) = run.rows
    assert row["policy"] == "teacher"
    assert json.loads(row["meta"]) == {"condition": "teacher"}
    assert json.loads(row["sampling"])["model"] == "m7"


def test_a_failed_call_gives_no_row_and_one_sample_is_needed():
    assert Drive(reference(PROMPT, reference_model="m"), Reply(error="down")).rows == []
    with pytest.raises(ValueError, match="n is 0"):
        Drive(reference(PROMPT, reference_model="m", n=0), "")
