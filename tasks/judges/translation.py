"""Scores an answer by how likely a translator finds the reference answer as its translation.

Source: MAPO (arXiv:2401.06838, section 3.1): 1 / mean cross-entropy of the English answer given the other one.

Use it for reasoning in languages whose answers you cannot check, with a reference in one you can; keep a correctness
judge beside it (``right_and_better``). It is bad where a good answer takes another way than the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.judges import _likelihood
from tasks.judges._ask import sheet
from tasks.judges._rows import Row, judgeable
from tasks.judges._text import harmless

REPEATED = -1.0


@judge(asks=True, needs=("reference",))
def translation(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    language: str = "English",
    criterion: str = "alignment",
) -> Exchange:
    """Returns one judgment a completion: 1 / (mean negative log-probability a token of the reference), above 0.

    An answer that says a line twice scores -1, below all others, and is flagged ``repeated_lines``.

    Args:
        prompt: ``reference`` is an answer in ``language``, word for word.
        model: SPEC of a model that gives log-probabilities of given texts.
    """
    held = judgeable(completions)
    if not held:
        return []
    page = sheet(__file__, prompt, {"language": language})
    reference = str(prompt["reference"])
    contents = [page({"answer": harmless(text_of(row["messages"]))}) for row in held]
    replies = yield [_likelihood.begins(model, content, reference) for content in contents]
    rows = []
    for row, reply in zip(held, replies, strict=True):
        mean = _likelihood.mean_logprob(reply)
        score = None if mean is None or mean >= 0 else -1 / mean
        twice = repeats(text_of(row["messages"]))
        made = _likelihood.row(row, [reply], REPEATED if twice and score else score, criterion, {"mean_logprob": mean})
        rows.append(made | {"flags": [*made["flags"], *(["repeated_lines"] if twice else [])]})
    return rows


def repeats(text: str) -> bool:
    r"""Says whether a text holds a line of words twice.

    >>> repeats("a = 1\nb = 2\na = 1")
    True
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return len(lines) > len(set(lines))
