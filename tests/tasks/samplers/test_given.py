import json

from schemas.messages import assistant, to_rows
from tasks.samplers.given import given


def test_the_reference_is_a_completion_of_its_own_policy():
    (row,) = given({"prompt_id": "p", "messages": to_rows("Q?"), "reference": "42"}, name="demonstration")
    assert row["messages"] == assistant("42")
    assert (row["policy"], row["finish_reason"]) == ("demonstration", "stop")
    assert json.loads(row["meta"]) == {"condition": "demonstration"}


def test_no_reference_no_row():
    assert given({"prompt_id": "p", "messages": to_rows("Q?"), "reference": None}) == []
    assert given({"prompt_id": "p", "messages": to_rows("Q?"), "reference": "  "}) == []
