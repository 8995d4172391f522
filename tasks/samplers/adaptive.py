"""As many answers as are needed: drawn in blocks until enough of them differ.

Source: RSO (arXiv:2309.06657: eight to keep of distinct candidates); Finding the Sweet Spot (arXiv:2502.16825, section
5: blocks of 25 samples a seed).

Use it where the policy repeats itself and a fixed number of samples would be mostly duplicates. It is bad at filling an
engine: each block waits for the one before.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Exchange
from tasks.samplers._ways import Settings, messages_of


@sampler
def adaptive(
    prompt: dict[str, Any],
    *,
    policy: str,
    distinct: int = 8,
    block: int = 8,
    most: int = 64,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns the completions rows of blocks, until ``distinct`` whole answers differ, or ``most`` in all.

    Samples are those of one long draw: a larger block or bound buys only what is new.

    Args:
        distinct: texts wanted. block: samples asked for at a time. most: samples a prompt.

    Raises:
        ValueError: a number is below 1.
    """
    if min(distinct, block, most) < 1:
        raise ValueError(f"distinct {distinct}, block {block}, most {most}: each from 1")
    settings = Settings(temperature, top_p, max_tokens, stop, seed)
    rows: list[dict[str, Any]] = []
    first = 0
    while first < most and len({row["content_id"] for row in rows if row["finish_reason"] == "stop"}) < distinct:
        size = min(block, most - first)
        request = settings.request(prompt, policy, messages_of(prompt), n=size, first=first)
        (reply,) = yield [request]
        rows += [settings.row(choice, reply, request, {}, "adaptive") for choice in reply.choices]
        first += size
        if not reply.choices:  # a failed call: another block would fail alike
            break
    return rows
