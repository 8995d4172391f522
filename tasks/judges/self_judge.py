"""Has the policy judge its own answers, in both orders and by several principles, from its token probabilities.

Source: Self-Judge (arXiv:2402.11253, section 3: s = (P[A|ab] + P[B|ba]) / 2, majority over principles, ties by the mean
score); Self-Rewarding Language Models (arXiv:2401.10020).

Use it to improve a policy without another model. It is bad where the policy is: it prefers its own style and cannot
see its own blind spots, so audit it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange
from tasks.judges import _duels
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._duels import SCHEMA, Pairs, both_orders, contents
from tasks.judges._rows import Row

PRINCIPLES = {
    "correct": "Prefer the answer that is right.",
    "complete": "Prefer the answer that leaves nothing out that was asked for.",
    "clear": "Prefer the answer that is easier to follow and wastes fewer words.",
}


@judge(asks=True)
def self_judge(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    policy: str,
    principles: Mapping[str, str] = PRINCIPLES,
    soft: bool = True,
    pairs: Pairs = "all",
    criterion: str = "overall",
    temperature: float = 0.0,
    max_tokens: int = 256,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns two judgments a pair and principle, and where ``soft``, one pointwise judgment a completion.

    The pairwise ones are as in ``principles``. The pointwise score is the share of its pairs that a completion wins: of
    a pair and principle it wins where the mean of P(it is better) over both orders is above one half; the majority of
    principles takes the pair, an even split goes to the higher mean over principles, and an exact tie is half a win
    to each. Where the endpoint gives no token probabilities, a verdict counts as certain. A pair counts where both
    orders of every principle can be read; without any, the judgment is ``unparsable``. ``probability`` is the mean
    chance of winning. Score these rows with ``mean``, or the pairwise ones with
    ``win_rate``.

    Args:
        policy: SPEC of the policy that judges.
        principles: name -> what to prefer.
        pairs, structured: as in ``pairwise``.

    Raises:
        ValueError: there is no principle.
    """
    if not principles:
        raise ValueError("there is no principle to judge by")
    orders = both_orders(completions, pairs)
    if not orders:
        return []
    pages = {name: sheet(__file__, prompt, {"principle": text}) for name, text in principles.items()}
    ask = Ask(
        policy, next(iter(pages.values())).version, seed_of(seed, prompt), temperature, max_tokens,
        SCHEMA if structured else None, ALTERNATIVES if soft else 0,
    )  # fmt: skip
    requests = {name: [ask(content) for content in contents(orders, page)] for name, page in pages.items()}
    replies = iter((yield [request for group in requests.values() for request in group]))
    rows = {
        name: _duels.rows(
            orders, group, [next(replies) for _ in group], criterion, (pages[name].task, principles[name]),
            {"principle": name},
        )
        for name, group in requests.items()
    }  # fmt: skip
    found = [row for group in rows.values() for row in group]
    return found + _shares(orders, list(rows.values()), criterion) if soft else found


def _shares(orders: Sequence[_duels.Order], groups: Sequence[Sequence[Row]], criterion: str) -> list[Row]:
    """Returns each completion's share of won pairs as a pointwise judgment.

    Args:
        orders: two a pair, one after the other. groups: a principle's rows, one an order.
    """
    wins: dict[str, list[float]] = {}
    chances: dict[str, list[float]] = {}
    for i in range(0, len(orders), 2):
        one, other = orders[i].first["completion_id"], orders[i].second["completion_id"]
        for name in (one, other):
            wins.setdefault(name, [])
            chances.setdefault(name, [])
        means = [mean for group in groups if (mean := first_wins(group[i], group[i + 1])) is not None]
        if len(means) < len(groups):
            continue
        won = majority(means)
        chance = sum(means) / len(means)
        for name, share, odds in ((one, won, chance), (other, 1 - won, 1 - chance)):
            wins[name].append(share)
            chances[name].append(odds)
    return [
        {
            "kind": "pointwise", "subjects": [name], "criterion": criterion, "flags": [],
            "outcome": "valid" if won else "unparsable", "score": sum(won) / len(won) if won else None,
            "probability": sum(chances[name]) / len(won) if won else None,
            "meta": orjson.dumps({"pairs": len(won)}).decode(),
        }
        for name, won in wins.items()
    ]  # fmt: skip


def first_wins(one: Row, other: Row) -> float | None:
    """Returns the mean over both orders of the probability that the first of the first order is better, or null.

    >>> first_wins({"probability": 0.7}, {"probability": 0.6})
    0.55
    """
    forth, back = _chance(one), _chance(other)
    return None if forth is None or back is None else round((forth + 1 - back) / 2, 12)


def _chance(row: Row) -> float | None:
    """Returns the probability that the first shown is better: as given, or, where none was, by the verdict alone."""
    known: float | None = row.get("probability")
    if known is None and row["outcome"] in ("valid", "tie"):
        return 0.5 if row["outcome"] == "tie" else float(row["winner"] == row["subjects"][0])
    return known


def majority(means: Sequence[float]) -> float:
    """Returns 1 where most principles prefer the first, 0 where most do the second; else the mean decides, 1/2 ties."""
    votes = sum((mean > 0.5) - (mean < 0.5) for mean in means)
    whole = votes or round(sum(means) / len(means) - 0.5, 12)
    return 0.5 + 0.5 * ((whole > 0) - (whole < 0))
