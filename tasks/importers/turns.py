"""Where a prompt ends and an answer begins, in conversations that hold both.

Source: TRL's implicit prompts (a pair's shared beginning); Anthropic HH; WebGPT and summarize-from-feedback, whose
prompts are texts among other facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.messages import Message
from tasks.importers import chat

_SAYS = ("full_text", "post", "text", "content", "article")
_OTHERS = ("user", "system", "developer")


def implied(held: Sequence[list[Message] | None]) -> tuple[list[Message], list[list[Message] | None]]:
    """Returns the prompt that answers begin with, and what follows it in each.

    Raises:
        ValueError: they begin with no turn of a user.
    """
    there = [each for each in held if each]
    if not there:
        raise ValueError("there is no prompt, and no answer that holds one")
    if len(there) == 1:
        shared = len(chat.asked(there[0])[0])
    else:
        pairs = zip(*there, strict=False)
        shared = next((place for place, turns in enumerate(pairs) if any(turn != turns[0] for turn in turns)),
                      min(map(len, there)))  # fmt: skip
        shared = min(shared, *(len(each) - 1 for each in there))
    prompt = there[0][:shared]
    if not any(row["role"] in ("user", "tool") for row in prompt):
        raise ValueError("there is no prompt: no column holds one, and the answers do not begin with a shared one")
    return prompt, [each[shared:] if each else each for each in held]


def split(
    asked: list[Message] | None, held: Sequence[list[Message] | None]
) -> tuple[list[Message], list[list[Message] | None]]:
    """Returns the prompt and each answer's own turns; answers that repeat the prompt may hold more of it.

    Raises:
        ValueError: there is no prompt, or an answer holds turns of others that are not the prompt's.
    """
    if asked is None:
        return implied(held)
    there = [each for each in held if each]
    if there and all(any(row["role"] in _OTHERS for row in each) for each in there):
        try:
            shared, turns = implied(held)
        except ValueError:
            shared, turns = [], []
        if len(shared) >= len(asked) and _same(shared[len(shared) - len(asked) :], asked):
            return shared, turns
    return asked, [after(asked, each) for each in held]


def _same(one: Sequence[Message], other: Sequence[Message]) -> bool:
    bare = [[(row["role"], (row["content"] or "").strip(), row["tool_calls"]) for row in rows] for rows in (one, other)]
    return bare[0] == bare[1]


def after(prompt: list[Message], turns: list[Message] | None) -> list[Message] | None:
    """Returns an answer's turns without the prompt that it repeats, whole or from its last turns on."""
    if not turns:
        return turns
    for start in range(len(prompt)):
        begun = prompt[start:]
        if len(turns) > len(begun) and _same(turns[: len(begun)], begun):
            return turns[len(begun) :]
    if any(row["role"] in _OTHERS for row in turns):
        raise ValueError("the answer holds turns of others, which are not those of the prompt")
    return turns


def said(value: Any) -> list[Message] | None:
    """Returns a prompt that stands beside answers as a dialogue in HH's form, or as a text among other facts."""
    if isinstance(value, Mapping) and not any(name in value for name in chat.SPEAKER):
        value = next((value[name] for name in _SAYS if isinstance(value.get(name), str)), value)
        return chat.messages(value)
    return chat.dialogue(value) if isinstance(value, str) else None
