"""Asks a model to rank all answers to a task at once, in several orders.

Source: RRHF and PRO rank lists (arXiv:2306.17492); permutation self-consistency against position bias
(arXiv:2310.07712, section 2).

Use it for four to eight answers a prompt: one call an order instead of two a pair. It is bad at long answers and at
telling neighbours apart, where ``pairwise`` is better. Scorers that take its rows: ``plackett_luce`` (a ranking is one
judgment), ``bradley_terry``, ``preference_table`` and ``majority`` (broken into pairs).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.ids import content_id
from tasks.judges._ask import Ask, seed_of, sheet
from tasks.judges._rankings import Line, agreement, answers, lines
from tasks.judges._rows import Row, answered
from tasks.readers.verdicts import read_ranking

RUBRIC = "Which answers help the person who set the task most: are they correct, complete, clear and to the point?"


@judge(asks=True)
def listwise(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    orders: int = 2,
    criterion: str = "overall",
    temperature: float = 0.0,
    max_tokens: int = 768,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment an order: ``meta.ranking`` (ids, best first, tied ones together) and ``meta.ranks``.

    The first order is by sample index, each second one the reverse of the one before, the others shuffled. ``winner``
    is the first of the ranking, null where it shares its place. A reply that leaves an answer out or names one twice is
    ``unparsable``; one that puts all in one place is a ``tie``. ``comparison`` is ``agreed`` where all orders give the
    same ranking, and ``meta.agreement`` the share of pairs that all of them order alike.

    Args:
        model: SPEC of the judge.
        structured: ask the endpoint to enforce the form of the reply (JSON Schema).

    Raises:
        ValueError: more completions than letters.
    """
    page = sheet(__file__, prompt, {"rubric": rubric})
    shown = lines(completions, orders, seed)
    if not shown:
        return []
    word = page.word(*shown[0].texts)
    ask = Ask(
        model, page.version, seed_of(seed, prompt), temperature, max_tokens, _schema(shown[0]) if structured else None
    )
    requests = [ask(page({"answers": answers(line, word), "labels": ", ".join(line.labels)}, word)) for line in shown]
    replies = yield requests
    rows = [_row(line, reply, criterion, (page.task, rubric)) for line, reply in zip(shown, replies, strict=True)]
    return _together(rows, content_id("comparison", criterion, requests[0].question().decode()))


def _row(line: Line, reply: Reply, criterion: str, material: tuple[str, ...]) -> Row:
    outcome, row = answered(reply)
    row |= {"kind": "listwise", "subjects": line.ids, "criterion": criterion, "flags": line.flags, "winner": None}
    if outcome is None:
        reading = read_ranking(reply.text, line.labels, (*material, *line.texts))
        row["rationale"] = reading.rationale
        if reading.value is None:
            return row | {"outcome": "unparsable"}
        named = dict(zip(line.labels, line.ids, strict=True))
        tiers = [sorted(named[label] for label in tier) for tier in reading.value]
        row["ranks"] = _ranks(tiers)
        row["ranking"] = [tier if len(tier) > 1 else tier[0] for tier in tiers]
        row["winner"] = tiers[0][0] if len(tiers[0]) == 1 else None
        outcome = "tie" if len(tiers) == 1 else "valid"
    return row | {"outcome": outcome}


def _ranks(tiers: list[list[str]]) -> dict[str, int]:
    """Returns the rank of each id: 1 is best, tied ones share the best rank of their tier."""
    ranks: dict[str, int] = {}
    place = 1
    for tier in tiers:
        ranks |= dict.fromkeys(tier, place)
        place += len(tier)
    return ranks


def _together(rows: list[Row], comparison_id: str) -> list[Row]:
    rankings = [row["ranks"] for row in rows if "ranks" in row]
    whole = len(rankings) == len(rows)
    alike = all(ranks == rankings[0] for ranks in rankings)
    tied = alike and whole and set(rankings[0].values()) == {1}
    comparison = "incomplete" if not whole else "tied" if tied else "agreed" if alike else "contradicted"
    for row in rows:
        row |= {"comparison_id": comparison_id, "comparison": comparison}
        if "ranks" in row:
            meta = {"ranking": row.pop("ranking"), "ranks": row.pop("ranks"), "agreement": agreement(rankings)}
            row["meta"] = orjson.dumps(meta).decode()
    return rows


def _schema(line: Line) -> dict[str, Any]:
    tier = {"type": "array", "items": {"type": "string", "enum": list(line.labels)}, "minItems": 1}
    return {
        "type": "object",
        "properties": {"rationale": {"type": "string"}, "ranking": {"type": "array", "items": tier}},
        "required": ["rationale", "ranking"],
        "additionalProperties": False,
    }
