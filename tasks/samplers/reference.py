"""Answers of a second, named model beside the policy's: a reference, a teacher, an earlier checkpoint, a source model.

Source: XPO (arXiv:2405.21046: one sample of the policy, one of the reference); Direct Nash Optimization
(arXiv:2404.03715: a teacher's answer among the student's); WRPO (arXiv:2412.03187: samples of source models).

Use it where pairs are to be made between models: policy and teacher, policy and reference. It is bad for preferences
within one model: the difference of style outweighs that of quality.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Exchange
from tasks.samplers._ways import Settings, messages_of


@sampler
def reference(
    prompt: dict[str, Any],
    *,
    reference_model: str,
    name: str = "reference",
    n: int = 1,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns one completions row a sample of this model; none when the call failed.

    Args:
        reference_model: SPEC of the model, which ``--policy`` does not replace.
        name: the rows' policy and condition, by which selectors tell them from the policy's own; ``sampling`` names
            the model.

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}; at least one sample a prompt is needed")
    settings = Settings(temperature, top_p, max_tokens, stop, seed, {"model": reference_model})
    request = settings.request(prompt, reference_model, messages_of(prompt), n=n)
    (reply,) = yield [request]
    return [
        settings.row(choice, reply, request, {"condition": name}, "reference") | {"policy": name}
        for choice in reply.choices
    ]
