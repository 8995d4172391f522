import pytest

from schemas.exchange import Choice, Reply
from schemas.messages import assistant, to_rows
from tasks.samplers.recorded import recorded


def _sampled(reply):
    exchange = recorded({"prompt_id": "p", "messages": to_rows("2+2?")}, policy="replay:file.jsonl")
    (request,) = next(exchange)
    with pytest.raises(StopIteration) as end:
        exchange.send([reply])
    return request, end.value.value


def test_every_recorded_completion_is_asked_for_and_becomes_a_row_under_its_own_policy():
    choices = (Choice(0, "4", value={"policy": "ann", "label": True}), Choice(1, "5", value={"policy": "bob"}))

    request, rows = _sampled(Reply(choices))

    assert (request.model, request.n, request.messages) == (
        "replay:file.jsonl",
        0,
        [{"role": "user", "content": "2+2?"}],
    )
    assert [row["messages"] for row in rows] == [assistant("4"), assistant("5")]
    assert [(row["policy"], row.get("label")) for row in rows] == [("ann", True), ("bob", None)]


def test_a_record_that_names_no_policy_leaves_it_to_the_verb_to_name_the_file():
    _, rows = _sampled(Reply((Choice(0, "4"),)))

    assert "policy" not in rows[0]


def test_a_prompt_without_a_record_has_no_rows():
    _, rows = _sampled(Reply(error="no recorded completion for this prompt"))

    assert rows == []
