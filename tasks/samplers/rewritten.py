"""Answers to rewritten prompts, filed under the prompt as it was: mutation, prompt optimisation, hints as actions.

Source: DARWIN (arXiv:2406.15193, section 3.1: mutated instructions, rewards against the original one); Align-Pro
(arXiv:2501.03486); Prompt-A-Video (arXiv:2412.15156, section 3.1: a pool of prompts evolved over rounds).

Use it to explore answers that the prompt as it is never draws. It is bad where the rewriting changes what was asked:
the answers are judged against the old prompt.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Exchange
from tasks.samplers._ways import Settings, asked, fill, messages_of, template, with_question


@sampler
def rewritten(
    prompt: dict[str, Any],
    *,
    policy: str,
    model: str | None = None,
    variants: int = 5,
    rounds: int = 1,
    n: int = 1,
    plain: int = 1,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns ``n`` completions rows a rewritten prompt, and ``plain`` ones to the prompt as it is.

    ``meta`` has the ``rewritten`` text, its ``generation`` (0: as it is) and the condition ``rewritten`` or ``plain``.
    A rewriting that failed, is empty, or says what is there already is left out.

    Args:
        model: SPEC of who rewrites; by default the policy itself.
        variants: rewritings a round. rounds: each begins from what the one before wrote.
        n, plain: answers.

    Raises:
        ValueError: variants, rounds or n is below 1.
    """
    if min(variants, rounds, n) < 1 or plain < 0:
        raise ValueError(f"variants {variants}, rounds {rounds}, n {n}, plain {plain}: each from 1, plain from 0")
    settings = Settings(temperature, top_p, max_tokens, stop, seed)
    messages, (text, version) = messages_of(prompt), template("rewritten")
    original = asked(messages)
    known, last = {original: 0}, [original]
    for generation in range(1, rounds + 1):
        share = -(-variants // len(last))
        replies = yield [
            settings.request(
                prompt, model or policy, [{"role": "user", "content": fill(text, {"prompt": each})}], n=share,
                template=f"{version} {generation}",
            )
            for each in last
        ]  # fmt: skip
        said = [choice.text.strip() for reply in replies for choice in reply.choices if choice.outcome == "ok"]
        fresh = [each for each in dict.fromkeys(said) if each and each not in known][:variants]
        known |= dict.fromkeys(fresh, generation)
        last = fresh or last
    jobs = [
        (each, turn, settings.request(prompt, policy, with_question(messages, each), n=n if turn else plain))
        for each, turn in known.items()
        if turn or plain
    ]
    replies = yield [request for _, _, request in jobs]
    rows = []
    for place, ((each, generation, request), reply) in enumerate(zip(jobs, replies, strict=True)):
        notes = {"generation": generation, "condition": "rewritten" if generation else "plain",
                 "rewritten": each if generation else None}  # fmt: skip
        rows += [settings.row(choice, reply, request, notes, f"prompt {place}") for choice in reply.choices]
    return rows
