"""What samplers that do more than ask share: prompts with something added, texts in parts, rows with notes.

Source: the completions table; OpenAI messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from schemas.exchange import Choice, Reply, Request
from schemas.ids import canonical, content_id, key_of, seed_for
from schemas.messages import assistant, from_rows
from tasks.samplers._rows import completion

Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sampler asks: what all its requests about one prompt have in common."""

    temperature: float
    top_p: float
    max_tokens: int
    stop: Sequence[str]
    seed: int
    more: Mapping[str, Any] = field(default_factory=dict)

    def request(self, prompt: Mapping[str, Any], model: str, messages: Messages, **changes: Any) -> Request:
        """Returns a request with these settings; the seed is made from the sampler's and the prompt's key."""
        given: dict[str, Any] = {
            "temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens,
            "stop": tuple(self.stop), "seed": seed_for(self.seed, key_of(prompt)),
        }  # fmt: skip
        return Request(model=model, messages=messages, **(given | changes))

    def row(self, choice: Choice, reply: Reply, request: Request, notes: Mapping[str, Any], way: str) -> dict[str, Any]:
        """Returns the completions row of a choice, its notes in ``meta``, and in ``sampling`` how it was made.

        Args:
            way: what tells samples of one prompt and policy apart that were asked for differently.
        """
        sampling = {
            "temperature": request.temperature, "top_p": request.top_p, "max_tokens": request.max_tokens,
            "stop": list(request.stop), "seed": self.seed, "way": way, **self.more,
        }  # fmt: skip
        row = completion(choice, reply, request, sampling)
        noted = {key: value for key, value in notes.items() if value is not None}
        if noted:
            row["meta"] = canonical(noted).decode()
        return row


def messages_of(prompt: Mapping[str, Any]) -> Messages:
    """Returns the prompt's messages as OpenAI has them."""
    return from_rows(prompt["messages"])


def instructed(messages: Messages, text: str, place: str = "system") -> Messages:
    """Returns the messages with a text added: to the system message, or at the end of the last user message."""
    if not text:
        return messages
    if place == "user":
        last = max(i for i, message in enumerate(messages) if message["role"] == "user")
        said = messages[last] | {"content": f"{messages[last]['content']}\n\n{text}"}
        return [*messages[:last], said, *messages[last + 1 :]]
    first = messages[0]
    if first["role"] in ("system", "developer"):
        return [first | {"content": f"{first['content']}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def asked(messages: Messages) -> str:
    """Returns the text of the last user message."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    return str(said[-1]) if said else ""


def with_question(messages: Messages, text: str) -> Messages:
    """Returns the messages with this text in place of the last user message's."""
    last = max(i for i, message in enumerate(messages) if message["role"] == "user")
    return [*messages[:last], messages[last] | {"content": text}, *messages[last + 1 :]]


def part(text: str, share: float) -> str:
    """Returns about this share of a text, cut behind a word; the whole for 1, nothing for 0.

    >>> part("Step 1: 2 * 3 = 6", 0.5)
    'Step 1: 2 *'
    """
    pieces = re.findall(r"\s*\S+", text)
    return text if share >= 1 else "".join(pieces[: round(share * len(pieces))])


def whole(row: dict[str, Any], text: str, prefix: str | None = None) -> dict[str, Any]:
    """Returns the row with this text as its completion, and the part of it that was given as ``prefix``."""
    messages = assistant(text)
    return row | {"messages": messages, "content_id": content_id("completion", messages), "prefix": prefix}


def template(name: str) -> tuple[str, str]:
    """Returns a prompt template of this family, and a digest that changes when it does."""
    text = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8")
    return text, blake2b(text.encode(), digest_size=8).hexdigest()


def fill(text: str, places: Mapping[str, str]) -> str:
    """Returns the template with ``{{name}}`` filled in, in one pass, so that what is filled in is never looked at.

    >>> fill("{{a}} {{b}}", {"a": "{{b}}", "b": "c"})
    '{{b}} c'
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda found: places[found[1]], text)
