"""Takes the prompt's own reference as a completion: a demonstration, a gold answer, a human's or a teacher's text.

Source: Inverse-RLignment (arXiv:2405.15624: demonstrations as winners); SePPO (arXiv:2410.05255: the winner comes from
the data); HERON (arXiv:2309.02632: the ground-truth program among the samples).

Use it where the reference is better than what the policy says: demonstrations, gold answers, a teacher. It is bad as a
rival in on-policy pairs: its style alone gives it away.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.ids import content_id
from schemas.messages import assistant


@sampler(asks=False)
def given(prompt: dict[str, Any], *, name: str = "reference") -> list[dict[str, Any]]:
    """Returns one completions row, the prompt's reference under this policy name; none where it has no reference.

    Args:
        name: of the policy, by which selectors tell it from samples; also its condition.
    """
    text = prompt.get("reference")
    if not text or not str(text).strip():
        return []
    messages = assistant(str(text))
    return [
        {
            "sample_index": 0, "messages": messages, "content_id": content_id("completion", messages),
            "finish_reason": "stop", "policy": name, "sampling": "{}", "meta": f'{{"condition":"{name}"}}',
        }
    ]  # fmt: skip
