"""Scores completions by a trained reward model.

Source: InstructGPT (arXiv:2203.02155, section 3.5); attributes as several heads, HelpSteer2 (arXiv:2406.08673).

Use it where one fits your domain: it is cheap and gives the same number every time. It is bad off its training data, at
arithmetic and facts, and it likes length; use several (``worst_case``, ``uncertainty_weighted``) against its quirks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from tasks.judges import _likelihood
from tasks.judges._rows import Row, judgeable

SPENT = {"prompt_tokens": 0, "completion_tokens": 0, "latency_s": 0.0, "cost": 0.0}
"""What the other rows of a call cost: it is counted once."""


@judge(asks=True)
def reward_model(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    heads: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    criterion: str = "reward",
) -> Exchange:
    """Returns one judgment a completion, its score the model's raw number; with ``heads``, one a completion and head.

    A number that is not finite, or as many numbers as there are not heads, are ``unparsable``.

    Args:
        model: SPEC of the reward model: ``reward:PATH`` or ``vllm:PATH``.
        heads: names of the model's numbers, in its order; they become criteria.
        weights: head -> weight; their weighted sum is a judgment of its own under ``criterion``.

    Raises:
        ValueError: a weight for a head that is not named.
    """
    unknown = [name for name in weights or () if name not in heads]
    if unknown:
        raise ValueError(f"there is a weight for {unknown[0]!r}, which is none of the heads: {', '.join(heads)}")
    held = judgeable(completions)
    if not held:
        return []
    replies = yield [_likelihood.spoken(model, prompt, row) for row in held]
    rows = []
    for row, reply in zip(held, replies, strict=True):
        if not heads:
            rows.append(_likelihood.row(row, [reply], _likelihood.value(reply), criterion, {}))
            continue
        found = _numbers(reply, heads)
        mine = [_likelihood.row(row, [reply], found.get(name), name, {}) for name in heads]
        if weights:
            whole = sum(found[name] * weight for name, weight in weights.items()) if found else None
            mine.append(_likelihood.row(row, [reply], whole, criterion, {"weights": dict(weights)}))
        rows += [mine[0], *({**other, **SPENT} for other in mine[1:])]
    return rows


def _numbers(reply: Reply, heads: Sequence[str]) -> dict[str, float]:
    said = reply.choices[0].value if reply.choices else None
    numbers = said if isinstance(said, list) else [said]
    fine = len(numbers) == len(heads) and all(isinstance(number, int | float) for number in numbers)
    return dict(zip(heads, map(float, numbers), strict=True)) if fine else {}
