"""Chat content in any of its usual shapes, as table messages; a shape that is none of them is refused with its reason.

Source: OpenAI chat completions API (messages, content parts, tool calls); ShareGPT (from, value) with LLaMA-Factory's
function_call and observation (arXiv:2403.13372); Anthropic HH's dialogues (arXiv:2204.05862); Alpaca (instruction,
input) with LLaMA-Factory's system and history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.messages import ROLES, Message, to_rows

NAMES = {
    "human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant",
    "observation": "tool", "function": "tool", "function_response": "tool", "ipython": "tool",
    "function_call": "assistant", **{role: role for role in ROLES},
}  # fmt: skip
"""Who speaks, as data call it -> the role."""
SPEAKER, SAID = ("role", "from"), ("content", "value", "text")
_MESSAGE = {"role", "from", "content", "value", "name", "tool_calls", "tool_call_id", "weight", "extra", "reasoning",
            "reasoning_content", "refusal", "function_call"}  # fmt: skip
_TEXT_PARTS = (None, "text", "input_text", "output_text")


def messages(value: object, role: str = "user") -> list[Message]:
    """Returns table messages of a text, of a list of messages, of JSON text of one, or of content parts.

    A text is one message of this role. A text stays as it is, whatever it looks like, unless it is JSON text of
    messages and of nothing else.

    Raises:
        ValueError: it is none of these, a message has no known role, or a part of it is not text.
    """
    turns = opened(value)
    if isinstance(turns, str):
        if role == "assistant":
            return [Message(role=role, content=turns, tool_calls=None, extra=None)]
        return [Message(role=role, content=row["content"], tool_calls=None, extra=None) for row in to_rows(turns)]
    if isinstance(turns, Mapping) or not isinstance(turns, Sequence) or isinstance(turns, bytes):
        return to_rows(turns)  # raises
    return to_rows([turn(each, place) for place, each in enumerate(turns)])


def opened(value: object) -> object:
    """Returns the list of messages, or the text, that a value holds under its wrapping; the value itself otherwise."""
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, Mapping) and any(name in value for name in SPEAKER):
        return [value]
    if not isinstance(value, list):
        return value
    while value and value[-1] is None:  # Arrow fills lists of a fixed length up
        value = value[:-1]
    if value and all(isinstance(part, Mapping) and _is_part(part) for part in value):
        return content(value, "")
    if value and all(isinstance(each, list) for each in value):
        if len(value) > 1:
            raise ValueError(f"expected one conversation, found a list of {len(value)}")
        return opened(value[0])
    return value


def _is_part(part: Mapping[str, Any]) -> bool:
    return "type" in part and not any(name in part for name in SPEAKER)


def _parsed(text: str) -> object:
    """Returns the messages of a text that is JSON of messages alone, else the text."""
    bare = text.lstrip()
    if not bare.startswith(("[", '{"')):
        return text
    try:
        found = orjson.loads(bare)
    except orjson.JSONDecodeError:
        return text
    inner = found[0] if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list) else found
    turns = inner if isinstance(inner, list) else [inner]
    return turns if turns and all(_is_message(each) for each in turns) else text


def _is_message(value: object) -> bool:
    if not isinstance(value, Mapping) or set(value) - _MESSAGE:
        return False
    return _speaker(value) in NAMES and any(name in value for name in (*SAID, "tool_calls"))


def _speaker(turn: Mapping[str, Any]) -> str:
    return str(next((turn[name] for name in SPEAKER if turn.get(name) is not None), "")).lower()


def turn(value: object, place: int) -> dict[str, Any]:
    """Returns one message in OpenAI's shape.

    Raises:
        ValueError: it is null, nobody known speaks, or it says something else than text and tool calls.
    """
    if value is None:
        raise ValueError(f"message {place} is null")
    if not isinstance(value, Mapping):
        raise ValueError(f"message {place} is {type(value).__name__}, expected an object with role and content")
    speaker = _speaker(value)
    if speaker not in NAMES:
        named = value.get("role", value.get("from"))
        raise ValueError(f"message {place} has role {named!r}, allowed are {', '.join(ROLES)}, human, gpt, observation")
    more = {key: part for key, part in value.items() if part is not None and key not in (*SPEAKER, *SAID)}
    if isinstance(more.get("extra"), str):  # a table message of ours
        more |= orjson.loads(more.pop("extra"))
    if isinstance(more.get("tool_calls"), str):
        more["tool_calls"] = orjson.loads(more["tool_calls"])
    said = next((value[name] for name in SAID if value.get(name) is not None), more.pop("content", None))
    if speaker == "function_call":
        return {"role": "assistant", "content": None, "tool_calls": _calls(said, place), **more}
    if said is None and not more.get("tool_calls"):
        raise ValueError(f"message {place} has neither content nor tool_calls")
    return {"role": NAMES[speaker], "content": content(said, f"message {place}"), **more}


def content(value: object, where: str) -> str | None:
    """Returns the text of a message's content: parts of text are joined, a line each.

    Raises:
        ValueError: a part is not text, or the content is neither text nor parts.
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise ValueError(f"{where} has content of {type(value).__name__}, expected text")
    texts = []
    for place, part in enumerate(value):
        said = part.get("text") if isinstance(part, Mapping) else part
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind not in _TEXT_PARTS or not isinstance(said, str):
            named = kind if kind not in (None, "text") else type(said).__name__
            raise ValueError(
                f"{f'{where}, ' if where else ''}part {place} is {named}, not text; only text can be judged"
            )
        texts.append(said)
    return "\n".join(texts)


def _calls(said: object, place: int) -> list[dict[str, Any]]:
    """Returns the tool calls of a function_call turn, whose value is JSON: one {name, arguments}, or a list of them."""
    try:
        found: Any = orjson.loads(said) if isinstance(said, str) else said
    except orjson.JSONDecodeError as error:
        raise ValueError(f"message {place} is a function_call, but not JSON: {error.msg}") from error
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(isinstance(call, Mapping) and call.get("name") for call in calls):
        raise ValueError(f"message {place} is a function_call without a name")
    return [
        {"type": "function", "function": {"name": call["name"], "arguments": _arguments(call.get("arguments", {}))}}
        for call in calls
    ]


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else orjson.dumps(given).decode()


def asked(rows: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Returns a conversation's prompt, and the assistant's turns that end it.

    Raises:
        ValueError: nobody asks anything.
    """
    end = len(rows)
    while end and rows[end - 1]["role"] == "assistant":
        end -= 1
    if not any(row["role"] in ("user", "tool") for row in rows[:end]):
        raise ValueError("no turn of the user stands before the assistant's")
    return list(rows[:end]), list(rows[end:])


def dialogue(text: str) -> list[Message] | None:
    r"""Returns the turns of a dialogue in HH's form, which begins with ``\n\nHuman:``; null of any other text."""
    if not text.startswith("\n\nHuman:") or "\n\nAssistant:" not in text:
        return None
    turns = []
    for part in text.split("\n\nHuman:")[1:]:
        question, *answers = part.split("\n\nAssistant:")
        turns.append({"role": "user", "content": question.strip() or " "})
        turns += [{"role": "assistant", "content": answer.strip() or " "} for answer in answers]
    if turns[-1] == {"role": "assistant", "content": " "}:  # the beginning of the answer to come
        turns.pop()
    return to_rows(turns)


def with_history(question: list[Message], system: object, history: object) -> list[Message]:
    """Returns a question with the system text and the earlier turns (pairs of question and answer) before it.

    Raises:
        ValueError: the history is no list of pairs of texts.
    """
    before: list[dict[str, Any]] = []
    if isinstance(system, str) and system.strip() and question[0]["role"] != "system":
        before.append({"role": "system", "content": system})
    if history is not None and not isinstance(history, list):
        raise ValueError(f"the history is {type(history).__name__}, expected a list of [question, answer]")
    for pair in history or ():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(said, str) for said in pair):
            raise ValueError("the history holds something else than [question, answer]")
        before += [{"role": role, "content": said} for role, said in zip(("user", "assistant"), pair, strict=True)]
    return [*(to_rows(before) if before else ()), *question]
