"""Answers with help from somebody who knows better: part of a guide's answer, as a hint or as the answer's beginning.

Source: RLGF (arXiv:2306.11816, section 3: the guide rolls in, or out, at a point of the trajectory); GHPO
(arXiv:2507.10628, section 3.2: growing shares of the reference solution as hints).

Use it on prompts that the policy never solves alone. It is bad where plain samples are sometimes right: a hint then
only makes them less the policy's own.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.blocks import sampler
from schemas.exchange import Exchange, Request
from schemas.messages import text_of
from tasks.samplers._ways import Settings, instructed, messages_of, part, whole

HINT = "A beginning of the solution that you may use:\n{hint}"


@sampler
def hinted(
    prompt: dict[str, Any],
    *,
    policy: str,
    model: str | None = None,
    shares: tuple[float, ...] = (0.0, 0.25, 0.5),
    place: Literal["hint", "roll_in", "roll_out"] = "hint",
    text: str = HINT,
    n: int = 2,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns ``n`` completions rows a share; ``meta`` has the share as ``hint`` and ``place`` as the condition.

    A share of 0 is the policy alone. A prompt without a guide's answer has only that.

    Args:
        model: SPEC of the guide; by default the prompt's reference is the guide's answer.
        shares: of the guide's answer (of the policy's, for roll_out), in words.
        place: ``hint`` puts the share into the prompt; ``roll_in`` begins the answer with it, and the policy goes on;
            ``roll_out`` lets the guide finish what the policy began.
        text: the hint, with {hint} in it.

    Raises:
        ValueError: a share is not in [0, 1), a text has no place for the hint, or a roll-out has no guide.
    """
    if not shares or not all(0 <= share < 1 for share in shares) or "{hint}" not in text or n < 1:
        raise ValueError(f"shares are {shares}, in [0, 1); text {text!r}, with {{hint}} in it; n {n}, from 1")
    if place == "roll_out" and not model:
        raise ValueError("a roll-out needs the guide that finishes; give model")
    settings = Settings(temperature, top_p, max_tokens, stop, seed)
    messages = messages_of(prompt)
    alone = [settings.request(prompt, policy, messages, n=n)] if 0 in shares or place == "roll_out" else []
    guide = [settings.request(prompt, model, messages, temperature=0.0)] if model and place != "roll_out" else []
    replies = (yield [*alone, *guide]) if alone or guide else []
    rows = [
        settings.row(choice, reply, request, {"hint": 0.0, "condition": place}, "alone")
        for request, reply in zip(alone, replies, strict=False)
        for choice in reply.choices
    ]
    known = [replies[-1].text] if guide else [str(prompt.get("reference") or "")]
    if place == "roll_out":
        known = [text_of(row["messages"]) for row in rows if row["finish_reason"] == "stop"]
    starts = [(share, part(each, share)) for share in shares if share > 0 for each in known]
    jobs = [
        (share, start, _request(settings, prompt, place, start, text, model if place == "roll_out" else policy, n))
        for share, start in starts
        if start
    ]
    replies = (yield [request for _, _, request in jobs]) if jobs else []
    for number, ((share, start, request), reply) in enumerate(zip(jobs, replies, strict=True)):
        for choice in reply.choices:
            row = settings.row(choice, reply, request, {"hint": share, "condition": place}, f"{place} {number}")
            rows.append(row if place == "hint" else whole(row, start + text_of(row["messages"]), start))
    return rows


def _request(
    settings: Settings, prompt: dict[str, Any], place: str, start: str, text: str, model: Any, n: int
) -> Request:
    messages = messages_of(prompt)
    if place == "hint":
        return settings.request(prompt, model, instructed(messages, text.replace("{hint}", start), "user"), n=n)
    return settings.request(prompt, model, messages, prefix=start, n=1 if place == "roll_out" else n)
