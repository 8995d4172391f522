"""Completion rows: how one answer of a policy becomes a row.

Source: the completions table; a recorded answer brings its own policy and label.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import Any

from schemas.exchange import Choice, Reply, Request
from schemas.ids import canonical, content_id
from schemas.messages import assistant

THOUGHTS = ("reasoning", "reasoning_tokens")
"""What a value holds of an answer's thoughts; whatever else it holds are columns that a recording gave."""


def completion(choice: Choice, reply: Reply, request: Request, sampling: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the completions row of one choice, without the ids that only the verb knows."""
    messages = assistant(choice.text)
    if choice.tool_calls:
        messages[0]["tool_calls"] = choice.tool_calls
    reason = {"ok": choice.finish_reason, "truncated": "length"}.get(choice.outcome, choice.outcome)
    row = {
        "sample_index": choice.index,
        "messages": messages,
        "content_id": content_id("completion", messages),
        "finish_reason": reason,
        "sampling": canonical(sampling).decode(),
        "seed": request.seed,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": choice.answer_tokens,
        "logprob": choice.logprob,
        "tokens": [token.text for token in choice.tokens] if request.logprobs and choice.tokens else None,
        "token_logprobs": [token.logprob for token in choice.tokens] if request.logprobs and choice.tokens else None,
        "latency_s": reply.latency_s,
        "cost": reply.cost / len(reply.choices),
        "reasoning": choice.reasoning,
    }
    repeated = collision(choice)
    if repeated is not None:
        row["meta"] = canonical({"collision": repeated}).decode()
    recorded = choice.value if isinstance(choice.value, dict) else {}
    return row | {name: value for name, value in recorded.items() if name not in THOUGHTS}


def asker(policy: str, prompt: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what tells records who asks: the prompt's id; nothing for a model, to which only the text matters."""
    return {"prompt_id": prompt["prompt_id"]} if policy.startswith("replay:") and "prompt_id" in prompt else {}


def collision(choice: Choice) -> float | None:
    """Returns the mean over tokens of log(sum of squared probabilities) at their places, null where none were given.

    Only the likeliest tokens are known; the squares of all others are too small to matter.
    """
    sums = [sum(exp(2 * logprob) for _, logprob in token.top) for token in choice.tokens if token.top]
    known = [log(total) for total in sums if total > 0]
    return sum(known) / len(known) if known and len(known) == len(choice.tokens) else None
