"""Takes over what the data themselves say of a completion: a human's label, a published score, a share of votes.

Source: published preference data with ratings, e.g. UltraFeedback (arXiv:2310.01377); is_correct labels of GSM8K
solutions (arXiv:2110.14168).

Use it where labels were paid for already. It is bad at telling how far to trust them: audit them like any judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.blocks import judge
from tasks.judges._rows import Row, judgeable, rule


@judge
def recorded(prompt: Row, completions: Sequence[Row], *, criterion: str = "recorded") -> list[Row]:
    """Returns one judgment a completion that came with a score, else with a label: the score, 1 for true, 0 for false.

    A completion that came with neither has no judgment. ``--map score=COLUMN`` and ``label=COLUMN`` say where they are.
    """
    rows = []
    for completion in judgeable(completions):
        label, score = completion.get("label"), noted(completion)
        if score is not None:
            rows.append(rule(completion, criterion, True) | {"score": score})
        elif label is not None:
            rows.append(rule(completion, criterion, bool(label)))
    return rows


def noted(completion: Row) -> float | None:
    """Returns the score that the data brought with a completion."""
    meta: dict[str, Any] = orjson.loads(completion.get("meta") or "{}")
    return meta.get("score")
