"""n answers to each prompt, each drawn by itself.

Source: the first step of every published recipe, e.g. RS-DPO (arXiv:2402.10038, section 3) and SimPO
(arXiv:2405.14734, section 4).

Use it first: most recipes begin here. It is bad on prompts where one answer has nearly all the probability: see
``adaptive``.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Exchange, Request
from schemas.ids import key_of, seed_for
from schemas.messages import from_rows
from tasks.samplers._likelihoods import compared
from tasks.samplers._rows import asker, completion


@sampler
def independent(
    prompt: dict[str, Any],
    *,
    policy: str,
    n: int = 4,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
    system: str | None = None,
    logprobs: bool = False,
    alternatives: int = 0,
    reference_model: str | None = None,
    model: str | None = None,
) -> Exchange:
    """Returns one completions row a sample; none when the call failed.

    An answer that is no whole answer is a row too: its ``finish_reason`` is ``length``, ``refused``, ``filtered`` or
    ``empty``, and no judge or selector uses the last three. The cost of the call is spread evenly over its samples.

    Args:
        policy: SPEC of the model that answers.
        n: samples a prompt; asking for more later buys only the new ones.
        stop: strings that end an answer.
        seed: the prompt's own seed is made from it and what is asked, so that shards do not matter.
        system: system message, in place of the prompt's own.
        logprobs: also keep each token with its log-probability.
        alternatives: ask for so many of the likeliest tokens at each place too, for ``collision`` in ``meta``: the mean
            log of the sum of their squared probabilities, by which ``weight: on_policy_weight`` aligns.
        reference_model: SPEC of a model that is asked how likely it finds each whole answer: ``reference_logprob``, and
            with ``logprobs`` also ``reference_token_logprobs`` in ``meta``, one a token of the sample.
        model: SPEC of one more, of a tuned model: ``tuned_token_logprobs``.

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}; at least one sample a prompt is needed")
    messages = from_rows(prompt["messages"])
    if system is not None:
        kept = [message for message in messages if message["role"] not in ("system", "developer")]
        messages = [{"role": "system", "content": system}, *kept]
    request = Request(
        model=policy,
        messages=messages,
        n=n,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        stop=tuple(stop),
        seed=seed_for(seed, key_of(prompt)),
        logprobs=logprobs or alternatives > 0,
        top_logprobs=alternatives,
        extra=asker(policy, prompt),
    )
    sampling = {
        "temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "stop": list(stop), "seed": seed,
        "system": system,
    }  # fmt: skip
    others = {name: spec for name, spec in (("reference", reference_model), ("tuned", model)) if spec}
    # n stays out: sample 0 of four is sample 0 of eight
    (reply,) = yield [request]
    rows = [completion(choice, reply, request, sampling | others) for choice in reply.choices]
    if others:
        yield from compared(rows, request, others)
    return rows
