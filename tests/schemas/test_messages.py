"""Messages: lossless between OpenAI's shape and table rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import ROLES, from_rows, text_of, to_rows

TEXT = st.text(min_size=1).filter(str.strip)
CALL = st.fixed_dictionaries({"id": TEXT, "type": st.just("function"), "function": st.dictionaries(TEXT, TEXT)})
PART = st.fixed_dictionaries({"type": st.just("text"), "text": TEXT})
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": TEXT}, optional={"name": TEXT}),
    st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(PART, min_size=1)}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.none() | TEXT, "tool_calls": st.lists(CALL, min_size=1)}
    ),
)


@given(st.lists(MESSAGE, min_size=1))
def test_messages_come_back_as_they_were(messages: list[dict[str, object]]) -> None:
    assert from_rows(to_rows(messages)) == messages


def test_a_text_is_one_user_turn() -> None:
    assert from_rows(to_rows("2 + 2?")) == [{"role": "user", "content": "2 + 2?"}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("  ", "the text is empty", id="blank"),
        pytest.param(None, "found null", id="null"),
        pytest.param(7, "found int", id="a number"),
        pytest.param([], "found list", id="no messages"),
        pytest.param(["hello"], "message 0 is str", id="not an object"),
        pytest.param([{"role": "robot", "content": "x"}], "message 0 has role 'robot', allowed are system", id="role"),
        pytest.param([{"role": "user"}], "message 0 has neither content nor tool_calls", id="no content"),
        pytest.param([{"role": "user", "content": 3}], "message 0 has content of int", id="content"),
    ],
)
def test_what_is_no_prompt_is_said_to_be_none(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_rows(value)


def test_the_text_of_messages_is_their_turns_as_paragraphs() -> None:
    assert text_of(to_rows([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])) == "a\n\nb"
