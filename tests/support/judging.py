"""Drives a judge with a scripted model: a function of the request, a text for all, or one answer a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from schemas.exchange import Choice, Reply, Request, Token
from schemas.messages import assistant, to_rows

PROMPT = {"prompt_id": "p", "messages": to_rows("Name a prime."), "reference": "2", "tests": None}


def completions(*texts: str, finish: str = "stop") -> list[dict[str, Any]]:
    return [
        {"completion_id": f"c{i}", "sample_index": i, "messages": assistant(text), "finish_reason": finish}
        for i, text in enumerate(texts)
    ]


def said(text: str, outcome: Any = "ok", tokens: Sequence[Token] = (), value: Any = None) -> Reply:
    choice = Choice(0, text, outcome, tokens=tuple(tokens), completion_tokens=3, value=value)
    return Reply((choice,), prompt_tokens=50, cost=0.25, latency_s=1.5)


def spelt(text: str, *, at: str, top: dict[str, float]) -> Reply:
    """Returns a reply in tokens of one letter, but one: the last ``at`` in the text, with these alternatives."""
    from math import log

    place = text.rindex(at)
    letters = [Token(letter, -0.1, ()) for letter in text]
    token = Token(at, log(top.get(at, 1e-9)), tuple((word, log(chance)) for word, chance in top.items()))
    return said(text, tokens=[*letters[:place], token, *letters[place + len(at) :]])


class Drive:
    """Runs an exchange to its end; ``requests`` are all it asked, ``rounds`` how many it asked at a time."""

    def __init__(self, exchange: Any, answer: Callable[[Request], Any] | str | Reply | Sequence[Any]) -> None:
        self.requests: list[Request] = []
        self.rounds: list[int] = []
        scripted: Iterator[Any] | None = iter(answer) if isinstance(answer, list | tuple) else None
        try:
            asked = next(exchange)
            while True:
                self.requests += asked
                self.rounds.append(len(asked))
                replies = []
                for request in asked:
                    reply = next(scripted) if scripted else answer(request) if callable(answer) else answer
                    replies.append(said(reply) if isinstance(reply, str) else reply)
                asked = exchange.send(replies)
        except StopIteration as end:
            self.rows: list[dict[str, Any]] = end.value

    @property
    def contents(self) -> list[str]:
        return [request.messages[0]["content"] for request in self.requests]


def between(content: str, name: str) -> str:
    """Returns what stands in a prompt's fence of this name."""
    return content.split(f"=== {name} ")[1].split(" ===\n", 1)[1].split(f"\n=== end of {name} ")[0]


def meta(row: dict[str, Any]) -> Any:
    return json.loads(row["meta"])


def prefers(text: str) -> Callable[[Request], str]:
    """A judge of pairs that finds the same answer better wherever it stands."""

    def verdict(request: Request) -> str:
        first = between(request.messages[0]["content"], "answer A")
        return json.dumps({"winner": "A" if first == text else "B"})

    return verdict
