import json

import pytest

from schemas.messages import assistant, to_rows
from tasks.exports.llamafactory_pairs import beside, llamafactory_pairs
from tests.support.exported import CALL, chat
from tests.support.preferences import pairs
from tests.support.trainers import llamafactory

ENTRY = beside("mine", "train.parquet")["dataset_info.json"]["mine"]


def test_its_reader_finds_system_turns_and_both_answers():
    turns = chat(("system", "Add."), ("user", "1+1?"), ("assistant", "2"), ("user", "2+2?"))
    table = pairs([{"prompt": to_rows(turns), "chosen": assistant("4"), "rejected": assistant("")}])
    found = llamafactory(llamafactory_pairs(table).row(0, named=True), ENTRY)
    assert found["system"] == "Add."
    assert [turn["value"] for turn in found["prompt"]] == ["1+1?", "2", "2+2?"]
    assert found["responses"] == ["4", ""]


def test_calls_and_their_replies_are_turns_of_their_own():
    turns = [{"role": "user", "content": "1+1?"}, CALL, {"role": "tool", "content": "2", "tool_call_id": "1"}]
    row = llamafactory_pairs(pairs([{"prompt": to_rows(turns), "chosen": to_rows([CALL])}])).row(0, named=True)
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation"]
    assert row["chosen"]["from"] == "function_call"
    assert json.loads(row["chosen"]["value"]) == {"name": "add", "arguments": {"a": 1}}
    assert llamafactory(row, ENTRY)["prompt"][2]["value"] == "2"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prompt": to_rows(chat(("user", "a"), ("user", "b")))}, "turn 2 is of human"),
        ({"prompt": to_rows(chat(("user", "a"), ("assistant", "b")))}, "does not end with a question"),
        ({"prompt": to_rows(chat(("user", "a"), ("system", "b"), ("user", "c")))}, "turn 2 is of system"),
        ({"chosen": to_rows(chat(("assistant", "a"), ("assistant", "b")))}, "the answer has 2 messages"),
        ({"chosen": to_rows("a")}, "the answer is of human"),
        ({"chosen": to_rows([{**CALL, "content": "I call"}])}, "both text and tool calls"),
        ({"prompt": to_rows([{"role": "user", "content": "a", "name": "Ann"}])}, "a message holds name"),
    ],
)
def test_what_it_would_skip_is_refused(row, why):
    with pytest.raises(ValueError, match=f"pair 1: .*{why}"):
        llamafactory_pairs(pairs([{}, row]))


def test_several_calls_are_one_turn():
    call = CALL["tool_calls"][0]
    both = to_rows([{"role": "assistant", "content": None, "tool_calls": [call, call]}])
    value = llamafactory_pairs(pairs([{"chosen": both}]))["chosen"][0]["value"]
    assert json.loads(value) == [{"name": "add", "arguments": {"a": 1}}] * 2
