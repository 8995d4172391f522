"""Answers of a policy between two: token by token from the geometric mixture of policy and reference.

Source: Nash-MD (arXiv:2312.00886, section 4: pi^(1 - c) mu^c, normalised, at each token); IPO-MD (arXiv:2403.08635,
section 5: both answers from the mixture).

Use it for methods whose theory asks for the mixture, as Nash-MD does. It is bad at speed: a request to both models for
each token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, inf, log
from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Choice, Exchange, Reply, Request
from schemas.ids import coin, key_of
from tasks.samplers._ways import Settings, messages_of

END = ("<|end|>", "<|eot_id|>", "<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>", "</s>")


@sampler
def mixture(
    prompt: dict[str, Any],
    *,
    policy: str,
    reference_model: str,
    coefficient: float = 0.25,
    n: int = 1,
    max_tokens: int = 128,
    alternatives: int = 20,
    end: tuple[str, ...] = END,
    seed: int = 0,
) -> Exchange:
    """Returns ``n`` completions rows (condition ``mixture``); none for a sample whose endpoint failed on the way.

    Each token costs a request to either model, which must go on from a given beginning and name the likeliest tokens;
    only tokens among both models' likeliest can be drawn. ``logprob`` is that under the mixture.

    Args:
        reference_model: SPEC of the reference.
        coefficient: c, the reference's share: 0 is the policy, 1 the reference.
        alternatives: likeliest tokens asked for (endpoints give 20 at most).
        end: tokens that end an answer.

    Raises:
        ValueError: coefficient is not in [0, 1], or an endpoint names no tokens.
    """
    if not 0 <= coefficient <= 1 or n < 1:
        raise ValueError(f"coefficient is {coefficient}, n {n}; in [0, 1] and from 1")
    settings = Settings(1.0, 1.0, 1, (), seed, {"coefficient": coefficient, "max_tokens": max_tokens})
    texts, logs, counts = [""] * n, [0.0] * n, [0] * n
    ended: dict[int, str] = {}
    for step in range(max_tokens):
        live = [i for i in range(n) if i not in ended]
        if not live:
            break
        beginnings = sorted({texts[i] for i in live})
        asked = [(text, model) for text in beginnings for model in (policy, reference_model)]
        replies = yield [_next(settings, prompt, model, text, alternatives) for text, model in asked]
        told = dict(zip(asked, replies, strict=True))
        for i in live:
            own, other = (_likeliest(told[texts[i], model], model) for model in (policy, reference_model))
            if own is None or other is None:
                ended[i] = "error"
                continue
            shares = mixed(own, other, coefficient)
            token = _drawn(shares, coin(seed, "mixture", key_of(prompt), i, step))
            logs[i] += shares[token]
            counts[i] += 1
            if token in end:
                ended[i] = "stop"
            else:
                texts[i] += token
    return [_row(settings, prompt, policy, i, texts[i], logs[i], counts[i], ended.get(i, "length"))
            for i in range(n) if ended.get(i) != "error"]  # fmt: skip


def mixed(policy: Mapping[str, float], reference: Mapping[str, float], coefficient: float) -> dict[str, float]:
    """Returns the log-probabilities of the geometric mixture over the tokens that both name.

    Where they name none in common, those of the policy.
    """
    both = {
        token: (1 - coefficient) * logprob + coefficient * reference[token]
        for token, logprob in policy.items() if token in reference
    }  # fmt: skip
    both = both or dict(policy)
    highest = max(both.values())
    total = highest + log(sum(exp(value - highest) for value in both.values()))
    return {token: value - total for token, value in both.items()}


def _drawn(shares: Mapping[str, float], toss: float) -> str:
    order = sorted(shares, key=lambda token: (-shares[token], token))
    for token in order:
        toss -= exp(shares[token])
        if toss < 0:
            return token
    return order[0]


def _next(settings: Settings, prompt: Mapping[str, Any], model: str, text: str, alternatives: int) -> Request:
    return settings.request(
        prompt, model, messages_of(prompt), prefix=text or None, logprobs=True, top_logprobs=alternatives, seed=0
    )


def _likeliest(reply: Reply, model: str) -> dict[str, float] | None:
    """Returns the likeliest next tokens with their log-probabilities; null when the call failed."""
    if not reply.choices:
        return None
    tokens: Sequence[Any] = reply.choices[0].tokens
    if not tokens or not tokens[0].top:
        raise ValueError(f"{model} names no likeliest tokens, so it cannot be mixed")
    return {token: logprob for token, logprob in tokens[0].top if logprob > -inf}


def _row(
    settings: Settings, prompt: Mapping[str, Any], policy: str, index: int, text: str, logprob: float, tokens: int,
    reason: str,
) -> dict[str, Any]:  # fmt: skip
    outcome = "truncated" if reason == "length" else "ok" if text.strip() else "empty"
    choice = Choice(index, text, outcome, reason, logprob, completion_tokens=tokens)  # type: ignore[arg-type]
    request = settings.request(prompt, policy, messages_of(prompt))
    return settings.row(choice, Reply((choice,)), request, {"condition": "mixture"}, "mixture")
