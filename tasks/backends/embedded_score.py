"""The log-probability that the embedded policy gives to a text: requests of kind ``score``.

Source: log-probabilities of given text are what reference and implicit rewards are made of (arXiv:2305.18290, eq. 5).

As everywhere, ``messages`` that end with the assistant's text are scored with the answer's end, ``messages`` and a
``prefix`` without it, and ``text`` from its second token on. Prompt and answer are cut into tokens apart from each
other, as they were when the answer was sampled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tasks.backends.batch import Batch
from tasks.backends.llama import log_softmax


def score(batch: Batch, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the reply to a request of kind ``score``.

    Raises:
        ValueError: the model cannot answer it.
    """
    if asked["extra"]:
        raise ValueError(f"a score request knows no {', '.join(sorted(asked['extra']))}")
    before, ids = _ids(batch, asked)
    if not before < len(ids) <= batch.model.context:
        raise ValueError(
            f"there are {len(ids)} tokens, {before} of them the prompt's; {batch.model.context} fit, one must be left"
        )
    hidden = batch.model.forward(np.array([ids]), np.zeros(1, int), batch.model.cache(1, len(ids)))
    logprobs = log_softmax(batch.model.logits(hidden[0, before - 1 : -1]))
    said = [float(logprobs[i, token]) for i, token in enumerate(ids[before:])]
    tokens: list[Any] = [(batch.text.token(token), value, []) for token, value in zip(ids[before:], said, strict=True)]
    total = math.fsum(said)
    choice = {
        "index": asked["first"], "text": "", "finish_reason": "stop", "logprob": total, "value": total,
        "tokens": tokens if asked["logprobs"] else [], "completion_tokens": 0,
    }  # fmt: skip
    return {"choices": [choice], "prompt_tokens": len(ids)}


def _ids(batch: Batch, asked: Mapping[str, Any]) -> tuple[int, list[int]]:
    """Returns how many token ids stand before the scored text, and all ids."""
    if not asked["messages"]:
        return 1, batch.text.ids(asked["text"] or "")
    messages, answer = list(asked["messages"]), asked["prefix"]
    ends = answer is None
    if ends:
        last = messages.pop()
        if last["role"] != "assistant" or not isinstance(last.get("content"), str):
            raise ValueError("the messages do not end with the assistant's text, and there is no prefix")
        answer = last["content"]
    prompt = batch.text.prompt({**asked, "kind": "chat", "messages": messages, "prefix": None})
    spoken = batch.text.ids(answer, special=False) if answer else []
    return len(prompt), [*prompt, *spoken, *(sorted(batch.model.ends)[:1] if ends else [])]
