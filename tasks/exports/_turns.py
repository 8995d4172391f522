"""Conversations in ShareGPT's words: from and value, people and models taking turns, calls as turns of their own.

Source: LLaMA-Factory (arXiv:2403.13372), data converter for sharegpt: tags human, gpt, observation, function_call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

ASKS, ANSWERS = ("human", "observation"), ("gpt", "function_call")
_NAMES = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system", "developer": "system"}


def turn(message: Mapping[str, Any]) -> dict[str, str]:
    """Returns one turn; a message of tool calls becomes a function_call, whose value is JSON: name and arguments.

    Raises:
        ValueError: a message holds what a turn has no place for.
    """
    name, calls = _NAMES[message["role"]], message["tool_calls"]
    extra = orjson.loads(message["extra"]) if message["extra"] else {}
    if name == "observation":
        extra.pop("tool_call_id", None)  # a reply follows its call, so the pairing is not lost
    if extra:
        raise ValueError(f"a message holds {', '.join(sorted(extra))}, for which a turn has no place")
    if not calls:
        return {"from": name, "value": message["content"]}
    if message["content"]:
        raise ValueError("a message holds both text and tool calls; a turn is one of them")
    asked = [{"name": c["function"]["name"], "arguments": _held(c["function"])} for c in orjson.loads(calls)]
    return {"from": "function_call", "value": orjson.dumps(asked[0] if len(asked) == 1 else asked).decode()}


def _held(function: Mapping[str, Any]) -> Any:
    given = function.get("arguments", {})
    return orjson.loads(given or "{}") if isinstance(given, str) else given


def turns(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Returns a prompt's turns: at most one system turn, first, then questions and answers by turns, a question last.

    Raises:
        ValueError: they do not alternate so; the trainer would skip such a row with no more than a warning.
    """
    made = [turn(message) for message in messages]
    rest = made[1:] if made and made[0]["from"] == "system" else made
    for place, each in enumerate(rest):
        if each["from"] not in (ANSWERS if place % 2 else ASKS):
            raise ValueError(f"turn {place + 1} is of {each['from']}; questions and answers must alternate")
    if len(rest) % 2 != 1:
        raise ValueError("the prompt does not end with a question or a tool's reply")
    return made


def answer(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Returns a completion's one turn.

    Raises:
        ValueError: it has several messages, or none of the assistant.
    """
    if len(messages) != 1:
        raise ValueError(f"the answer has {len(messages)} messages; the trainer takes one")
    made = turn(messages[0])
    if made["from"] not in ANSWERS:
        raise ValueError(f"the answer is of {made['from']}")
    return made
