"""Scores completions by what a tuned policy makes of them against its reference: the reward that DPO left in it.

Source: DICE (arXiv:2406.09760, sections 3 and 4.1: log-ratio less a price per character); DPO (arXiv:2305.18290,
equation 5); SeRA (arXiv:2410.09362).

Use it to go on from a DPO-tuned model with no other judge. It is bad on answers unlike those the model was tuned on,
and without a price on length it prefers long ones; the selector ``length_debiased`` finds the price.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.judges import _likelihood
from tasks.judges._rows import Row, judgeable


@judge(asks=True)
def implicit_reward(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    policy: str,
    reference_model: str,
    beta: float = 1.0,
    length_penalty: float = 0.0,
    criterion: str = "reward",
) -> Exchange:
    """Returns one judgment a completion: beta (log pi(y|x) - log pi_ref(y|x)) - length_penalty * characters.

    ``meta`` has both log-probabilities (summed over the answer's tokens, its end included) and the characters.

    Args:
        policy, reference_model: SPECs of models that give log-probabilities of given answers, with one tokenizer.

    Raises:
        ValueError: both are the same model.
    """
    if policy == reference_model:
        raise ValueError(f"policy and reference_model are both {policy}; the reward would be 0 everywhere")
    held = judgeable(completions)
    if not held:
        return []
    asked = [_likelihood.spoken(model, prompt, row) for row in held for model in (policy, reference_model)]
    replies = iter((yield asked))
    rows = []
    for row in held:
        pair = [next(replies), next(replies)]
        tuned, reference = (_likelihood.value(reply) for reply in pair)
        length = len(text_of(row["messages"]))
        score = None if tuned is None or reference is None else beta * (tuned - reference) - length_penalty * length
        meta = {"policy_logprob": tuned, "reference_logprob": reference, "characters": length}
        rows.append(_likelihood.row(row, pair, score, criterion, meta))
    return rows
