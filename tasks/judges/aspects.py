"""Has a model rate all answers by several aspects, one criterion each, on UltraFeedback's scale of five.

Source: UltraFeedback (arXiv:2310.01377, section 2.3: four texts side by side, an aspect a call, 1 to 5, N/A allowed).

Use it to make attributes that are weighed or conditioned on later. Side by side the ratings spread more than one answer
at a time, but a rating then depends on the company. It is bad at being one number: mean the criteria on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.judges import _ratings
from tasks.judges._ask import Ask, seed_of, sheet
from tasks.judges._rankings import MOST, Line, answers, lines
from tasks.judges._ratings import HIGHEST, LOWEST, NOT_APPLICABLE
from tasks.judges._rows import Row, judgeable
from tasks.judges._text import harmless

ASPECTS = {
    "instruction_following": "Does the answer do what the task asks, all of it and within the limits it sets?",
    "helpfulness": "Is the answer useful for the purpose behind the task: relevant, complete, clear, not padded?",
    "honesty": "Does the answer say how sure it is, as sure as it may be, and admit what it does not know?",
    "truthfulness": "Is everything the answer claims true and consistent with the task, nothing invented?",
    "harmlessness": "Is the answer free of what could hurt somebody, and does it refuse no more than it must?",
}


@judge(asks=True)
def aspects(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    aspects: Mapping[str, str] = ASPECTS,
    together: bool = True,
    orders: int = 2,
    overall: str = "",
    temperature: float = 0.0,
    max_tokens: int = 768,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one pointwise judgment a completion, aspect and order, with the aspect as its criterion.

    A rating is a whole number from 1 to 5 as it was given, never mended. "N/A" is an abstention: outcome ``refused``
    with ``meta.not_applicable``, so that means are over the ratings there are. A rating that is missing or off the
    scale is ``unparsable``, also where the other answers' can be read. Completions with the same text share a rating.

    Args:
        model: SPEC of the judge.
        aspects: name -> question; the names become criteria.
        together: all answers in one prompt an aspect, in as few prompts of like size as there are letters for; else
            each alone, where orders do not matter.
        orders: of a prompt with several answers; every second one is the reverse of the one before.
        overall: adds a judgment a completion and order under this criterion: the mean of its ratings, abstentions left
            out; ``unparsable`` where a rating failed or none applies.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).

    Returns:
        Rows of judgments; tokens and cost of a reply stand in the row of the first completion it rates.

    Raises:
        ValueError: no aspect is given.
    """
    if not aspects:
        raise ValueError("no aspect is given")
    if together:
        shown = [line for part in _lists(completions) for line in lines(part, orders, seed, least=1)]
    else:
        shown = [line for row in judgeable(completions) for line in lines([row], 1, seed, least=1)]
    if not shown:
        return []
    pages = {name: sheet(__file__, prompt, {"aspect": aspects[name]}) for name in aspects}
    first = next(iter(pages.values()))
    asked = [(name, line) for name in pages for line in shown]
    requests = []
    for name, line in asked:
        word = first.word(*line.texts)
        schema = _schema(line) if structured else None
        ask = Ask(model, first.version, seed_of(seed, prompt), temperature, max_tokens, schema)
        requests.append(ask(pages[name]({"answers": answers(line, word), "labels": ", ".join(line.labels)}, word)))
    replies = yield requests
    same: dict[str, list[str]] = {}
    for row in judgeable(completions) if together else ():
        same.setdefault(harmless(text_of(row["messages"])), []).append(row["completion_id"])
    rated = [
        _ratings.rows(line, reply, name, (first.task, aspects[name]), same)
        for (name, line), reply in zip(asked, replies, strict=True)
    ]
    found = [row for rows in rated for row in rows]
    return found + _ratings.means(rated, len(shown), overall) if overall else found


def _lists(completions: Sequence[Row]) -> list[list[Row]]:
    """Returns the completions with different texts in lists that have a letter for each."""
    different = {harmless(text_of(row["messages"])): row for row in reversed(judgeable(completions))}
    rows = judgeable(list(different.values()))
    count = -(-len(rows) // MOST)
    return [rows[place::count] for place in range(count)]


def _schema(line: Line) -> dict[str, Any]:
    rating = {"enum": [*range(LOWEST, HIGHEST + 1), NOT_APPLICABLE]}
    ratings = {"type": "object", "properties": dict.fromkeys(line.labels, rating), "required": list(line.labels)}
    return {
        "type": "object",
        "properties": {"rationale": {"type": "string"}, "ratings": {**ratings, "additionalProperties": False}},
        "required": ["rationale", "ratings"],
        "additionalProperties": False,
    }
