"""Chat content in its usual shapes: what is read as messages, what stays text, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import from_rows, text_of, to_rows
from tasks.importers.chat import asked, dialogue, messages

USER, ANSWER = {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A"}
TALK = [USER, ANSWER]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(TALK, id="messages"),
        pytest.param(json.dumps(TALK), id="JSON text"),
        pytest.param([TALK], id="a list of one conversation"),
        pytest.param(json.dumps([TALK]), id="JSON text of a list of one"),
        pytest.param([{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A"}], id="ShareGPT"),
        pytest.param([{"from": "human", "content": "Q?"}, {"from": "gpt", "content": "A"}], id="from with content"),
        pytest.param([{**USER, "name": None, "tool_calls": None}, ANSWER], id="nulls of Arrow"),
        pytest.param([*TALK, None], id="a list filled up"),
        pytest.param([{"role": "user", "content": [{"type": "text", "text": "Q?"}]}, ANSWER], id="content parts"),
        pytest.param([{"role": "user", "content": [{"type": "text", "text": "Q?", "image_url": None}]},
                      {"role": "assistant", "content": ["A"]}], id="parts with nulls, and of texts"),
        pytest.param([dict(row) for row in to_rows(TALK)], id="table messages"),
    ],
)  # fmt: skip
def test_one_conversation_is_read_in_every_shape(value: Any) -> None:
    assert from_rows(messages(value)) == TALK


@pytest.mark.parametrize(
    "text",
    ['["a", "b"]', "[1, 2]", '[{"name": "x"}]', "Human: hello", "Human: a\n\nAssistant: b", "[{", '{"role": "admin"}',
     '[{"role": "user", "content": "x", "age": 3}]', '{"content": "x"}', "[]", "  [see below]"],
)  # fmt: skip
def test_a_text_that_only_looks_like_a_list_stays_as_it_is(text: str) -> None:
    assert from_rows(messages(text)) == [{"role": "user", "content": text}]
    assert from_rows(messages(text, "assistant")) == [{"role": "assistant", "content": text}]


@given(st.text(min_size=1).filter(str.strip))
def test_whatever_a_text_says_it_is_one_message(text: str) -> None:
    assert text_of(messages(text, "assistant")) == text


def test_parts_of_text_alone_are_a_prompt_with_a_text() -> None:
    assert text_of(messages([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])) == "one\ntwo"


def test_parts_that_are_in_a_lake_already_have_a_text_too() -> None:
    held = to_rows([{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image", "image": "x"}]}])
    assert held[0]["content"] is None
    assert text_of(held) == "one"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
         "message 0, part 0 is image_url, not text"),
        ([{"type": "input_audio", "input_audio": "x"}], "part 0 is input_audio, not text"),
        ([USER, None, ANSWER], "message 1 is null"),
        ([USER, {"role": "robot", "content": "x"}], "message 1 has role 'robot'"),
        ([USER, {"role": "assistant", "content": None}], "message 1 has neither content nor tool_calls"),
        ([{"role": "user", "content": 3}], "message 0 has content of int"),
        ([TALK, TALK], "expected one conversation, found a list of 2"),
        ([{"from": "function_call", "value": "add(1)"}], "message 0 is a function_call, but not JSON"),
        ([{"from": "function_call", "value": "[]"}], "message 0 is a function_call without a name"),
        ({"text": "Q?"}, "expected text or a list of messages, found dict"),
        (7, "found int"), (None, "found null"), ([], "found list"), (b"x", "found bytes"), (["a"], "message 0 is str"),
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_refused_with_its_reason(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        messages(value)


def test_a_function_call_is_a_tool_call_and_an_observation_its_reply() -> None:
    call = {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 1}}'}
    rows = from_rows(messages([{"from": "human", "value": "?"}, call, {"from": "observation", "value": "2"}]))
    assert [row["role"] for row in rows] == ["user", "assistant", "tool"]
    (made,) = rows[1]["tool_calls"]
    assert (made["function"]["name"], orjson.loads(made["function"]["arguments"])) == ("add", {"a": 1})


def test_a_prompt_ends_before_the_assistants_last_turns() -> None:
    talk = messages([USER, ANSWER, USER, ANSWER])
    assert asked(talk) == (talk[:3], talk[3:])
    with pytest.raises(ValueError, match="no turn of the user"):
        asked(messages([ANSWER]))


def test_a_dialogue_is_one_only_if_it_begins_as_hhs_do() -> None:
    found = dialogue("\n\nHuman: q\n\nAssistant: a\n\nHuman: r\n\nAssistant:")
    assert [(row["role"], row["content"]) for row in found or ()] == [("user", "q"), ("assistant", "a"), ("user", "r")]
    assert dialogue("Human: q\n\nAssistant: a") is None
    assert dialogue("\n\nHuman: rights") is None
