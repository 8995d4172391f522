"""Scores an answer by how well it fits its task, against length and repetition.

Source: regularised relevance reward, R3 (arXiv:2402.03469, section 3: relevance x length incentive x repetition
penalty); relevance as the likelihood of the question given the passage, UPR (arXiv:2204.07496, section 2).

Use it with no preference data at all, as a baseline a judge has to beat. It is bad at being right: a fluent answer to
the point scores high whether it is true or not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from schemas.blocks import judge
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.judges import _likelihood
from tasks.judges._ask import sheet
from tasks.judges._rows import Row, conversation, judgeable
from tasks.judges._text import harmless


@judge(asks=True)
def relevance(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    query: Literal["open", "closed"] = "open",
    length_incentive: bool = True,
    repetition_penalty: bool = True,
    criterion: str = "relevance",
) -> Exchange:
    """Returns one judgment a completion: relevance, times words / 100, times the share of its trigrams that are unique.

    Relevance is exp(mean log-probability a token) of the task (``open``) or of the prompt's reference (``closed``)
    given the answer. Closed questions get no length incentive. ``meta`` holds each factor.

    Args:
        model: SPEC of a model that gives log-probabilities of given texts.

    Raises:
        ValueError: a closed question without a reference.
    """
    if query == "closed" and not prompt.get("reference"):
        raise ValueError("a closed question needs a reference, and the prompt has none")
    held = judgeable(completions)
    if not held:
        return []
    page = sheet(__file__, prompt, {"what": "task" if query == "open" else "reference answer"})
    wanted = conversation(prompt["messages"]) if query == "open" else str(prompt["reference"])
    contents = [page({"answer": harmless(text_of(row["messages"]))}) for row in held]
    replies = yield [_likelihood.begins(model, content, wanted) for content in contents]
    rows = []
    for row, reply in zip(held, replies, strict=True):
        mean = _likelihood.mean_logprob(reply)
        words = text_of(row["messages"]).split()
        factors = {
            "relevance": None if mean is None else math.exp(mean),
            "length": len(words) / 100 if length_incentive and query == "open" else 1.0,
            "repetition": unique_trigrams(words) if repetition_penalty else 1.0,
        }
        known = [factor for factor in factors.values() if factor is not None]
        score = math.prod(known) if len(known) == len(factors) else None
        rows.append(_likelihood.row(row, [reply], score, criterion, factors))
    return rows


def unique_trigrams(words: Sequence[str]) -> float:
    """Returns the share of the trigrams that are unique; 1 where there are fewer than three words.

    >>> round(unique_trigrams("a b c a b c d e".split()), 4)
    0.8333
    """
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(trigrams)) / len(trigrams) if trigrams else 1.0
