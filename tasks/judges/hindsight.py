"""Has a model play through what comes of each answer first, and compare the answers after, in both orders.

Source: RLHS (arXiv:2501.08617, section 4: feedback after simulated consequences instead of before them).

Use it where an answer can please now and disappoint later: advice, sales, medicine, plans. It is bad at price, a call a
completion on top of two a pair, and a simulator that is fooled by an answer passes that on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.messages import text_of
from tasks.judges import _duels
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._duels import SCHEMA, Pairs, both_orders, contents
from tasks.judges._rows import Row, judgeable, with_cost_of
from tasks.judges._text import harmless

RUBRIC = "After which answer is the person better off, knowing what came of it?"


@judge(asks=True)
def hindsight(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    facts: bool = False,
    pairs: Pairs = "all",
    criterion: str = "hindsight",
    logprobs: bool = False,
    temperature: float = 0.0,
    max_tokens: int = 512,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns two judgments a pair, one an order, made with the consequences of both answers in view.

    ``meta.consequences`` holds what was played through, by completion id. Where a simulation failed, was refused or
    cut, its outcome is the outcome of both orders, and the pair is not asked about. The criterion is one of its own, so
    that verdicts before and after the consequences stand side by side.

    Args:
        model: SPEC of the judge, which also simulates.
        facts: the simulation is told the prompt's ``reference``, as what turns out to be the case.
        logprobs, pairs, structured: as in ``pairwise``.

    Raises:
        ValueError: ``facts`` without a reference.
    """
    if facts and not prompt.get("reference"):
        raise ValueError("facts are to be told, and the prompt has no reference")
    orders = both_orders(completions, pairs)
    if not orders:
        return []
    known = harmless(str(prompt["reference"])) if facts else "(none are known beforehand)"
    compared = {order.first["completion_id"] for order in orders}
    held = [row for row in judgeable(completions) if row["completion_id"] in compared]
    simulation = sheet(__file__, prompt, part="simulate")
    play = Ask(model, simulation.version, seed_of(seed, prompt), temperature, max_tokens)
    played: list[Reply] = yield [
        play(simulation({"answer": harmless(text_of(row["messages"])), "facts": known})) for row in held
    ]
    came = {row["completion_id"]: reply for row, reply in zip(held, played, strict=True)}
    page = sheet(__file__, prompt, {"rubric": rubric})
    more = [{"first_after": _said(came, order.first), "second_after": _said(came, order.second)} for order in orders]
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens, SCHEMA if structured else None,
        ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    requests = [ask(content) for content in contents(orders, page, more)]
    failed = [_failure(came, order) for order in orders]
    open_ = [request for request, failure in zip(requests, failed, strict=True) if failure is None]
    answered = iter((yield open_) if open_ else [])
    replies = [failure or next(answered) for failure in failed]
    rows = _duels.rows(orders, requests, replies, criterion, (page.task, rubric, *_texts(came)))
    return _with_consequences(rows, came)


def _said(came: dict[str, Reply], row: Row) -> str:
    return harmless(came[row["completion_id"]].text)


def _texts(came: dict[str, Reply]) -> list[str]:
    return [harmless(reply.text) for reply in came.values()]


def _failure(came: dict[str, Reply], order: _duels.Order) -> Reply | None:
    both = (came[row["completion_id"]] for row in (order.first, order.second))
    failed = next((reply for reply in both if reply.outcome != "ok"), None)
    # the cost of the simulation is counted once, with the others
    return Reply(failed.choices, failed.error or "the simulation failed") if failed else None


def _with_consequences(rows: list[Row], came: dict[str, Reply]) -> list[Row]:
    """Returns the rows with what was played through; each simulation's cost stands in the first row it is part of."""
    left = dict(came)
    done = []
    for row in rows:
        meta = {"consequences": {name: came[name].text for name in row["subjects"]}}
        meta |= orjson.loads(row["meta"]) if row.get("meta") else {}
        spent = [left.pop(name) for name in row["subjects"] if name in left]
        done.append(with_cost_of(row, *spent) | {"meta": orjson.dumps(meta).decode()})
    return done
