"""Chat content: a list of messages in the OpenAI shape, kept lossless.

Source: OpenAI chat completions API (role, content, tool_calls).

In tables a message is a struct of four strings, so that SQL reads ``messages[1].content``. Whatever does not fit
(tool calls, content parts, names) is kept as JSON beside it and comes back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson

ROLES = ("system", "developer", "user", "assistant", "tool")


class Message(TypedDict):
    """One row of a messages column. ``tool_calls`` and ``extra`` hold JSON text."""

    role: str
    content: str | None
    tool_calls: str | None
    extra: str | None


def to_rows(value: object) -> list[Message]:
    """Returns table messages of a prompt given as text or as a list of OpenAI messages.

    Raises:
        ValueError: it is neither, or a message lacks a known role or any content.
    """
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("the text is empty")
        return [Message(role="user", content=value, tool_calls=None, extra=None)]
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise ValueError(f"expected text or a list of messages, found {_kind(value)}")
    return [_to_row(message, i) for i, message in enumerate(value)]


def _to_row(message: object, i: int) -> Message:
    if not isinstance(message, Mapping):
        raise ValueError(f"message {i} is {_kind(message)}, expected an object with role and content")
    role = message.get("role")
    if role not in ROLES:
        raise ValueError(f"message {i} has role {role!r}, allowed are {', '.join(ROLES)}")
    content, calls = message.get("content"), message.get("tool_calls")
    if content is not None and not isinstance(content, str | list):
        raise ValueError(f"message {i} has content of {_kind(content)}, expected text")
    if content is None and not calls:
        raise ValueError(f"message {i} has neither content nor tool_calls")
    extra = {k: v for k, v in message.items() if k not in ("role", "content", "tool_calls") and v is not None}
    if isinstance(content, list):
        extra["content"], content = content, None
    return Message(role=str(role), content=content, tool_calls=_json(calls), extra=_json(extra))


def from_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns OpenAI messages of table messages; the inverse of ``to_rows`` on messages."""
    out = []
    for row in rows:
        message: dict[str, Any] = {"role": row["role"], "content": row["content"]}
        if row.get("tool_calls"):
            message["tool_calls"] = orjson.loads(row["tool_calls"])
        if row.get("extra"):
            message.update(orjson.loads(row["extra"]))
        out.append(message)
    return out


def assistant(text: str) -> list[Message]:
    """Returns the messages of a one-turn text completion."""
    return [Message(role="assistant", content=text, tool_calls=None, extra=None)]


def text_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the plain text of messages, one turn a paragraph: what judges, length and duplicate checks look at.

    Of content parts it is the text ones, a line each; a message without text is its tool calls.
    """
    return "\n\n".join(row["content"] or _parts(row) or row.get("tool_calls") or "" for row in rows)


def _parts(row: Mapping[str, Any]) -> str:
    extra = row.get("extra")
    parts = orjson.loads(extra).get("content") if extra and row["content"] is None else None
    if not isinstance(parts, list):
        return ""
    texts = (part.get("text") if isinstance(part, Mapping) else part for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str))


def _json(value: object) -> str | None:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
