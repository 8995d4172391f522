"""Asks a model, in both orders, which of two answers is better, after showing it judged pairs of similar tasks.

Source: few-shot judges of MT-bench (arXiv:2306.05685, section 3.4: consistency from 65 % to 77.5 %); CycleAlign
(arXiv:2310.16271, section 3.2: demonstrations that change).

Use it where you have judged pairs and a house style to hold to. It is bad with few demonstrations, or ones of a single
winner or place, which the model then copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange
from tasks.judges import _duels
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._duels import SCHEMA, Pairs, both_orders, contents
from tasks.judges._rows import Row, conversation
from tasks.judges._text import harmless

RUBRIC = "Which answer helps the person who set the task more: is it correct, complete, clear and to the point?"
WINNERS = ("A", "B", "tie")
NEEDED, OPTIONAL = ("task", "first", "second", "winner"), ("reason",)
_WORD = re.compile(r"\w+")


@judge(asks=True)
def few_shot(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    demonstrations: Sequence[Mapping[str, str]],
    shots: int = 3,
    rubric: str = RUBRIC,
    pairs: Pairs = "all",
    criterion: str = "overall",
    logprobs: bool = False,
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns two judgments a pair of completions, one an order, as ``pairwise`` does.

    The demonstrations shown are those whose task shares most one- to three-word pieces with the prompt (Jaccard), the
    nearest last. ``meta`` has their numbers (from 0) and overlaps; one that shares nothing is not shown, and where
    fewer than ``shots`` are, ``flags`` has ``few_demonstrations``.

    Args:
        model: SPEC of the judge.
        demonstrations: each with ``task``, ``first``, ``second``, ``winner`` (A, B or tie), and a ``reason`` if any.
        logprobs, pairs, structured: as in ``pairwise``.

    Raises:
        ValueError: a demonstration is not of that form, which is said with its number.
    """
    check(demonstrations)
    orders = both_orders(completions, pairs)
    if not orders:
        return []
    task = harmless(conversation(prompt["messages"]))
    nearest = near(task, [item["task"] for item in demonstrations], shots)
    page = sheet(__file__, prompt, {"rubric": rubric})
    material = [harmless(demonstrations[i][name]) for i, _ in nearest for name in NEEDED[:3]]
    word = page.word(*material, *(text for order in orders[::2] for text in order.texts))
    judged = "\n\n".join(_shown(demonstrations[i], word) for i, _ in nearest) or "(none)"
    more = [{"demonstrations": judged} for _ in orders]
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens, SCHEMA if structured else None,
        ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    requests = [ask(content) for content in contents(orders, page, more, word)]
    replies = yield requests
    meta = {"demonstrations": [i for i, _ in nearest], "overlaps": [round(share, 4) for _, share in nearest]}
    # the demonstrations hold verdicts: only one that ends the reply counts
    rows = _duels.rows(orders, requests, replies, criterion, (page.task, rubric, "[[A]]", *material), meta)
    missing = ["few_demonstrations"] if len(nearest) < shots else []
    return [row | {"flags": [*row["flags"], *missing]} for row in rows]


def check(demonstrations: Sequence[Mapping[str, str]]) -> None:
    """Raises ValueError where a demonstration is not of the form that ``few_shot`` takes."""
    if not demonstrations:
        raise ValueError("there are no demonstrations")
    for i, item in enumerate(demonstrations):
        missing = [name for name in NEEDED if not isinstance(item.get(name), str) or not item[name].strip()]
        unknown = [name for name in item if name not in (*NEEDED, *OPTIONAL)]
        if missing or unknown:
            what = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which is unknown"
            raise ValueError(f"demonstration {i} {what}; it needs {', '.join(NEEDED)}, and may have a reason")
        if item["winner"] not in WINNERS:
            raise ValueError(f"demonstration {i} has winner {item['winner']!r}, allowed are {', '.join(WINNERS)}")


def near(task: str, tasks: Sequence[str], count: int) -> list[tuple[int, float]]:
    """Returns the numbers and overlaps of the nearest tasks, the nearest last; of equal ones the earlier is nearer."""
    mine = _pieces(task)
    shares = [(len(mine & theirs) / max(1, len(mine | theirs)), -i) for i, theirs in enumerate(map(_pieces, tasks))]
    best = sorted((share for share in shares if share[0] > 0), reverse=True)[:count]
    return [(-i, share) for share, i in reversed(best)]


@lru_cache(maxsize=8192)
def _pieces(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return frozenset(tuple(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1))


def _shown(item: Mapping[str, str], word: str) -> str:
    fenced = "\n".join(
        f"=== earlier {name} {word} ===\n{harmless(item[key])}\n=== end of earlier {name} {word} ==="
        for name, key in (("task", "task"), ("answer A", "first"), ("answer B", "second"))
    )
    verdict = orjson.dumps({"winner": item["winner"]}).decode()
    return f"{fenced}\nVerdict:\n{harmless(item.get('reason') or '')}\n{verdict}".replace("\n\n{", "\n{")
