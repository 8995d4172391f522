"""A policy that is a function of what was written before, and a way to grow a search on it without a backend."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from typing import Any

from schemas.exchange import Choice, Grown, Reply, Request, Token, Verdicts
from schemas.messages import to_rows

Continue = Callable[[Request, int], str | Choice | None]
"""Given the request and the sample's index: the rest of the answer, a whole choice, or null for a call that failed."""

PROMPT: dict[str, Any] = {"prompt_id": "p", "messages": to_rows("What is 1 + 1?"), "reference": "2"}


def whole(text: str) -> float | None:
    """Judges an answer: right when it ends with R, wrong with W, unreadable otherwise."""
    last = text.rstrip()[-1:]
    return {"R": 1.0, "W": 0.0}.get(last)


def verdicts(judge: Callable[[str], float | None] = whole) -> Verdicts:
    """Returns verdicts by a function of the text; a cut text has none."""

    def say(
        role: str, texts: Sequence[str], cut: Sequence[bool]
    ) -> Generator[list[Request], list[Reply], list[float | None]]:
        if False:
            yield []
        return [None if ended else judge(text) for text, ended in zip(texts, cut, strict=True)]

    return say


def reply(request: Request, go_on: Continue) -> Reply:
    """Returns a reply whose choices are cut at stop strings as an engine does."""
    choices = []
    for index in range(request.first, request.first + request.n):
        said = go_on(request, index)
        if said is None:
            return Reply(error="the call failed")
        choices.append(said if isinstance(said, Choice) else _choice(request, index, said))
    return Reply(choices=tuple(choices), prompt_tokens=3)


def _choice(request: Request, index: int, said: str) -> Choice:
    ends = [at for stop in request.stop if (at := said.find(stop)) >= 0]
    text = said[: min(ends)] if ends else said
    seen = said[: min(ends) + 1] if ends else said
    tokens = tuple(Token(letter, -0.5) for letter in seen) if request.logprobs else ()
    return Choice(
        index, text, outcome="ok" if text else "empty", logprob=-0.5 * len(seen), tokens=tokens,
        completion_tokens=len(seen),
    )  # fmt: skip


def grow(
    search: Callable[..., Any], go_on: Continue, *, judge: Callable[[str], float | None] = whole,
    prompt: dict[str, Any] | None = None, rounds: list[list[Request]] | None = None, shuffle: int | None = None,
    **params: Any,
) -> Grown:  # fmt: skip
    """Returns what a search grows on a policy.

    Args:
        rounds: is given every round of requests. shuffle: seed of the order in which a round's requests are answered.
    """
    exchange = search(prompt or PROMPT, verdicts(judge), policy="script", **params)
    try:
        requests = next(exchange)
        while True:
            if rounds is not None:
                rounds.append(requests)
            order = list(range(len(requests)))
            if shuffle is not None:
                random.Random(shuffle).shuffle(order)
            replies: dict[int, Reply] = {place: reply(requests[place], go_on) for place in order}
            requests = exchange.send([replies[place] for place in range(len(requests))])
    except StopIteration as end:
        found: Grown = end.value
        return found
    finally:
        exchange.close()


def texts(grown: Grown) -> dict[str, dict[str, Any]]:
    """Returns the node rows by everything written up to and including them."""
    found: dict[int, str] = {}
    named = {}
    for row in grown.nodes:
        found[row["node"]] = found.get(row["parent"], "") + row["text"]
        named[found[row["node"]]] = row
    return named
