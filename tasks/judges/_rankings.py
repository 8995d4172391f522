"""Several answers side by side, in several orders: labels, orders, and what the replies make together.

Source: PandaLM and RankGPT list answers by letter; position bias of lists, arXiv:2310.07712 (permutation
self-consistency).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from schemas.ids import coin
from schemas.messages import text_of
from tasks.judges._rows import Row, judgeable
from tasks.judges._text import Shown, shown

MOST = len(ascii_uppercase)


class Line(NamedTuple):
    """Completions in the order they are shown, each under its letter."""

    rows: tuple[Row, ...]
    seen: tuple[Shown, ...]

    @property
    def labels(self) -> str:
        """The letters, in order."""
        return ascii_uppercase[: len(self.rows)]

    @property
    def ids(self) -> list[str]:
        """The completions' ids, in order."""
        return [row["completion_id"] for row in self.rows]

    @property
    def texts(self) -> list[str]:
        """The harmless texts, in order."""
        return [text.text for text in self.seen]

    @property
    def flags(self) -> list[str]:
        """What was flagged, each sign under its letter."""
        return [f"{label}:{sign}" for label, text in zip(self.labels, self.seen, strict=True) for sign in text.flags]


def lines(completions: Sequence[Row], orders: int, seed: int, least: int = 2) -> list[Line]:
    """Returns so many orders of the completions; of completions with one text only the first takes part.

    The first order is by sample index and every second one is the one before it, reversed, so that an even number of
    them shows each completion as often early as late. The others are shuffled by the seed and the ids.

    Raises:
        ValueError: no order is asked for, or there are more completions than letters.
    """
    if orders < 1:
        raise ValueError(f"orders is {orders}, it must be at least 1")
    known: dict[str, tuple[Row, Shown]] = {}
    for row in judgeable(completions):
        text = shown(text_of(row["messages"]))
        known.setdefault(text.text, (row, text))
    pairs = list(known.values())
    if len(pairs) > MOST:
        raise ValueError(f"{len(pairs)} completions in one list; {MOST} fit")
    if len(pairs) < least:
        return []
    found: list[list[tuple[Row, Shown]]] = []
    for i in range(orders):
        if i % 2:
            found.append(found[-1][::-1])
        elif i == 0:
            found.append(pairs)
        else:
            found.append(sorted(pairs, key=lambda pair: coin(seed, i, pair[0]["completion_id"])))
    return [Line(tuple(row for row, _ in line), tuple(text for _, text in line)) for line in found]


def answers(line: Line, word: str) -> str:
    """Returns the answers' part of a prompt: each fenced under its letter."""
    return "\n\n".join(
        f"=== answer {label} {word} ===\n{text}\n=== end of answer {label} {word} ==="
        for label, text in zip(line.labels, line.texts, strict=True)
    )


def agreement(rankings: Sequence[Mapping[str, int]]) -> float | None:
    """Returns the share of pairs that all rankings (id -> rank) order alike; null for fewer than two rankings."""
    if len(rankings) < 2:
        return None
    ids = sorted(rankings[0])
    pairs = [(one, other) for i, one in enumerate(ids) for other in ids[i + 1 :]]
    alike = [
        len({(ranks[one] > ranks[other]) - (ranks[one] < ranks[other]) for ranks in rankings}) == 1
        for one, other in pairs
    ]
    return sum(alike) / len(alike)
