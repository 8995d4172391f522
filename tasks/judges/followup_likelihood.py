"""Scores an answer by how likely it makes what a satisfied user would say next, against a dissatisfied one.

Source: FLR (arXiv:2409.13948, section 3): mean log-probability of positive follow-ups less that of negative ones.

Use it for conversation, where no rubric says what people like. It is bad at correctness, and a model that expects
politeness expects it after anything: read differences between answers to one prompt, not the number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.messages import text_of
from tasks.judges import _likelihood
from tasks.judges._ask import sheet
from tasks.judges._rows import Row, judgeable
from tasks.judges._text import harmless

POSITIVE = (
    "You understood exactly what I meant.", "That answers my question.", "That is right, thank you.",
    "How interesting, tell me more.", "I learned something new.", "You did just what I asked for.",
)  # fmt: skip
NEGATIVE = (
    "You misunderstood what I meant.", "That does not answer my question.", "That is wrong, I am afraid.",
    "How boring, let us stop.", "I knew all that before.", "You did not do what I asked for.",
)  # fmt: skip


@judge(asks=True)
def followup_likelihood(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    positive: Sequence[str] = POSITIVE,
    negative: Sequence[str] = NEGATIVE,
    per: Literal["token", "followup"] = "token",
    criterion: str = "followup",
) -> Exchange:
    """Returns one judgment a completion: mean log P(follow-up | dialogue), positive less negative.

    A follow-up's log-probability is the sum over its tokens, each given all before it. Where one is not known, the
    judgment has no score. ``meta.positive`` and ``meta.negative`` hold them in order.

    Args:
        model: SPEC of a model that gives log-probabilities of given texts.
        per: divide each sum by its number of tokens, so that long follow-ups weigh no more; or take it whole.

    Raises:
        ValueError: a list of follow-ups is empty.
    """
    if not positive or not negative:
        raise ValueError("both lists of follow-ups need at least one")
    held = judgeable(completions)
    if not held:
        return []
    page = sheet(__file__, prompt)
    contents = [page({"answer": harmless(text_of(row["messages"]))}) for row in held]
    said = [*positive, *negative]
    replies = iter((yield [_likelihood.begins(model, content, words) for content in contents for words in said]))
    rows = []
    for row in held:
        mine = [next(replies) for _ in said]
        chances = [_chance(reply, per) for reply in mine]
        good, bad = chances[: len(positive)], chances[len(positive) :]
        score = None if None in chances else _mean(good) - _mean(bad)
        rows.append(_likelihood.row(row, mine, score, criterion, {"positive": good, "negative": bad}))
    return rows


def _chance(reply: Reply, per: Literal["token", "followup"]) -> float | None:
    return _likelihood.mean_logprob(reply) if per == "token" else _likelihood.value(reply)


def _mean(numbers: Sequence[float | None]) -> float:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known)
