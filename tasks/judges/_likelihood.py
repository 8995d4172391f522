"""Log-probabilities of given texts: how they are asked for and read.

Source: implicit rewards, DPO (arXiv:2305.18290, equation 5).

A request of kind ``score`` holds ``messages`` that end with the assistant's text (its log-probability, its end
included), or ``messages`` and a ``prefix`` (the log-probability of an answer that begins so). The reply's one choice
has the number as its ``value``, and the tokens of the scored text where ``logprobs`` is set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.exchange import Reply, Request
from schemas.messages import from_rows, text_of
from tasks.judges._rows import Row, answered
from tasks.judges._text import shown


def spoken(model: str, prompt: Row, completion: Row) -> Request:
    """Returns the request for the number that belongs to a completion as the answer to its prompt.

    Words in a completion that would end its turn are broken up: a model must not read them as its own.
    """
    said = [{**message, "content": _harmless(message["content"])} for message in completion["messages"]]
    return Request(model=model, kind="score", messages=from_rows([*prompt["messages"], *said]))


def _harmless(content: str | None) -> str | None:
    seen = shown(content) if content else None
    return seen.text if seen and "special_tokens" in seen.flags else content


def begins(model: str, content: str, text: str) -> Request:
    """Returns the request for the log-probability of a text, token by token, as the answer to a user's words."""
    return Request(
        model=model, kind="score", messages=[{"role": "user", "content": content}], prefix=text, logprobs=True
    )


def value(reply: Reply) -> float | None:
    """Returns the reply's number, or null where it failed or gave none that is finite."""
    said = reply.choices[0].value if reply.choices and reply.choices[0].outcome == "ok" else None
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if math.isfinite(said) else None


def mean_logprob(reply: Reply) -> float | None:
    """Returns the mean log-probability of the tokens of the scored text, or null where it is not known."""
    total = value(reply)
    tokens = reply.choices[0].tokens if reply.choices else ()
    return total / len(tokens) if total is not None and tokens else None


def row(completion: Row, replies: Sequence[Reply], score: float | None, criterion: str, meta: Mapping[str, Any]) -> Row:
    """Returns the judgment made of these replies: the score, or what kept one of them from giving its number."""
    outcome, found = next(
        (pair for pair in map(answered, replies) if pair[0] is not None), (None, answered(replies[0])[1])
    )
    spent = {
        "prompt_tokens": sum(reply.prompt_tokens for reply in replies),
        "latency_s": max(reply.latency_s for reply in replies), "cost": sum(reply.cost for reply in replies),
    }  # fmt: skip
    if outcome is None:
        outcome = "unparsable" if score is None or not math.isfinite(score) else "valid"
    found |= spent | {
        "kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": criterion, "outcome": outcome,
        "score": score if outcome == "valid" else None, "flags": list(shown(text_of(completion["messages"])).flags),
        "raw": None,
    }  # fmt: skip
    return found | ({} if "meta" in found else {"meta": orjson.dumps(meta).decode()})
