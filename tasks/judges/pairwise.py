"""Asks a model, in both orders, which of two answers is better.

Source: MT-bench (arXiv:2306.05685, section 3.4: a win counts only if both orders agree); OAIF (arXiv:2402.04792).

Use it where answers differ in kind rather than degree; two calls a pair buy position control. It is bad at many answers
a prompt (pairs grow with the square) and at near ties, which come out contradicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange
from tasks.judges import _duels
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._duels import SCHEMA, Pairs, both_orders, contents
from tasks.judges._rows import Row
from tasks.readers.styles import Style

RUBRIC = "Which answer helps the person who set the task more: is it correct, complete, clear and to the point?"


@judge(asks=True)
def pairwise(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    pairs: Pairs = "all",
    criterion: str = "overall",
    logprobs: bool = False,
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    style: Style = "any",
    seed: int = 0,
) -> Exchange:
    """Returns two judgments a pair of completions, one an order, and what the two make together in ``comparison``.

    ``agreed``: both orders name the same winner. ``tied``: both say tie. ``contradicted``: both can be read and do not
    say the same. ``incomplete``: an order failed, was refused, cut or cannot be read. Completions with the same text
    are not compared. All pairs and both orders are asked at once.

    Args:
        model: SPEC of the judge.
        pairs: all pairs of the prompt's completions, or each with the next by sample index.
        logprobs: read the probability that the first shown is better from the verdict's token alternatives.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).
        style: the one form of verdict that is read, for a judge trained to end in it; ``any`` reads all.
    """
    page = sheet(__file__, prompt, {"rubric": rubric})
    orders = both_orders(completions, pairs)
    if not orders:
        return []
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens, SCHEMA if structured else None,
        ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    requests = [ask(content) for content in contents(orders, page)]
    replies = yield requests
    return _duels.rows(orders, requests, replies, criterion, (page.task, rubric), style=style)
