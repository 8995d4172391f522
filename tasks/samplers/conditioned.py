"""Answers under named conditions: good and bad principles, with and without thinking, a length budget, a control token.

Source: SSO (arXiv:2410.17131, section 3.1: two of seven aspects, in good and in bad principles); L1 (arXiv:2503.04697,
section 3: a budget drawn for each prompt); AdaCoT (arXiv:2505.11896: with and without a chain of thought).

Use it to make contrasts on purpose, where plain samples are too much alike. It is bad where the condition shows in the
text: a judge then learns to tell the condition, not the quality.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from schemas.blocks import sampler
from schemas.exchange import Exchange, Reply, Request
from schemas.ids import coin, key_of
from tasks.samplers._ways import Settings, instructed, messages_of


@sampler
def conditioned(
    prompt: dict[str, Any],
    *,
    policy: str,
    conditions: dict[str, str | list[str]],
    parts: int = 1,
    draw: int | None = None,
    place: Literal["system", "user"] = "system",
    n: int = 1,
    likelihoods: bool = False,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns ``n`` completions rows a condition; ``meta`` names it, and the rows belong to the prompt as it stands.

    Args:
        conditions: name -> the text put into the prompt (nothing for an empty one), or a list of texts, of which some
            are drawn for each prompt, the same places of each list.
        parts: so many are drawn of a list.
        draw: so many conditions are drawn for each prompt; by default all are used.
        place: in the system message, or at the end of the last user message.
        likelihoods: also note each whole answer's mean log-probability a token under every condition that was used
            (``likelihood``), from a policy that scores given texts.

    Raises:
        ValueError: there is no condition, or more are to be drawn than there are.
    """
    shortest = min((len(texts) for texts in conditions.values() if isinstance(texts, list)), default=parts)
    if not conditions or not 0 < (draw or 1) <= len(conditions) or not 0 < parts <= shortest or n < 1:
        raise ValueError(f"{len(conditions)} conditions, draw {draw}, parts {parts}, n {n}: too few for what is drawn")
    settings = Settings(temperature, top_p, max_tokens, stop, seed)
    names = _drawn(sorted(conditions), draw or len(conditions), seed, key_of(prompt))
    requests = []
    for name in names:
        text = _text(conditions[name], parts, seed, key_of(prompt))
        requests.append(settings.request(prompt, policy, instructed(messages_of(prompt), text, place), n=n))
    replies = yield requests
    found = [
        (name, request, reply, choice)
        for name, request, reply in zip(names, requests, replies, strict=True)
        for choice in reply.choices
    ]
    whole = [choice.text for _, _, _, choice in found if choice.outcome == "ok"] if likelihoods else []
    asked = [
        (text, name, request) for text in dict.fromkeys(whole) for name, request in zip(names, requests, strict=True)
    ]
    told = (yield [_scored(request, text) for text, _, request in asked]) if asked else []
    known: dict[str, dict[str, float]] = {}
    for (text, name, _), reply in zip(asked, told, strict=True):
        mean = _mean(reply)
        if mean is not None:
            known.setdefault(text, {})[name] = mean
    return [
        settings.row(
            choice, reply, request, {"condition": name, "likelihood": known.get(choice.text)}, f"condition {name}"
        )
        for name, request, reply, choice in found
    ]


def _scored(request: Request, text: str) -> Request:
    """Returns the question how likely a text is as the answer to a request's messages."""
    messages = [*request.messages, {"role": "assistant", "content": text}]
    return Request(model=request.model, messages=messages, kind="score", logprobs=True, temperature=1.0)


def _mean(reply: Reply) -> float | None:
    tokens = reply.choices[0].tokens if reply.choices else ()
    return sum(token.logprob for token in tokens) / len(tokens) if tokens else None


def _drawn(names: Sequence[str], count: int, seed: int, prompt_id: str) -> list[str]:
    order = sorted(names, key=lambda name: coin(seed, "condition", prompt_id, name))
    return sorted(order[:count])


def _text(texts: str | list[str], parts: int, seed: int, prompt_id: str) -> str:
    """Returns the text, or those drawn of a list; what is drawn depends on their places, not on their wording."""
    if isinstance(texts, str):
        return texts
    order = sorted(range(len(texts)), key=lambda i: coin(seed, "part", prompt_id, i))
    return "\n".join(texts[i] for i in sorted(order[:parts]))
