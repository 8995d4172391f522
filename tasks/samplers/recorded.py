"""Takes the completions one already has, all of them.

Source: the labelling half of every published recipe, applied to given data, e.g. UltraFeedback (arXiv:2310.01377).

Use it to label, score and select what is there already. It is bad for on-policy methods once the policy has moved on
from who wrote the records.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import sampler
from schemas.exchange import Exchange, Request
from schemas.messages import from_rows
from tasks.samplers._rows import asker, completion


@sampler
def recorded(prompt: dict[str, Any], *, policy: str = "") -> Exchange:
    """Returns one completions row a recorded completion of the prompt, under the policy that the record names.

    Args:
        policy: SPEC of the record, as ``--data FILE`` gives it.
    """
    request = Request(model=policy, messages=from_rows(prompt["messages"]), n=0, extra=asker(policy, prompt))
    (reply,) = yield [request]
    return [completion(choice, reply, request, {}) for choice in reply.choices]
