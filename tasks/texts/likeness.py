"""What a pair of answers is like, in a few numbers: lengths, overlap, figures, layout, and the words of the prompt.

Source: Rabanser et al. 2019, arXiv:1810.11953 (shift is seen in few well-chosen dimensions); Lopez-Paz and Oquab 2017,
arXiv:1610.06545 (two samples are alike when nothing tells them apart).

The numbers do not depend on which of the two answers stands first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from math import log

BUCKETS = 16
NAMES = (
    "length gap", "length", "length of the prompt", "words in common", "words of the prompt", "figures in the prompt",
    "figures", "lines", "marks", "marks in the prompt", "question", *(f"words {place}" for place in range(BUCKETS)),
)  # fmt: skip
LENGTH = slice(0, 3)
"""The numbers that are about lengths; the others are about the texts."""

_MOST = 20_000
"""Characters of a text that are looked at."""
_WORD = re.compile(r"\w+")


def likeness(prompt: str, one: str, other: str) -> list[float]:
    """Returns the numbers of one pair, in the order of ``NAMES``.

    >>> likeness("What is 2?", "two", "two")[0]
    0.0
    """
    asked, first, second = (set(_WORD.findall(text[:_MOST].lower())) for text in (prompt, one, other))
    said = one[:_MOST] + other[:_MOST]
    head = prompt[:_MOST]
    numbers = [
        abs(log((len(one) + 1) / (len(other) + 1))), log(len(one) + len(other) + 2), log(len(prompt) + 1),
        len(first & second) / max(1, len(first | second)),
        (len(asked & first) + len(asked & second)) / max(1, 2 * len(asked)),
        _share(head, str.isdigit), _share(said, str.isdigit), said.count("\n") / max(1, len(said)),
        _share(said, _is_mark), _share(head, _is_mark), float("?" in prompt),
    ]  # fmt: skip
    counts = [0] * BUCKETS
    for word in asked:
        counts[zlib.crc32(word.encode()) % BUCKETS] += 1
    size = sum(count * count for count in counts) ** 0.5 or 1.0
    return [round(value, 4) for value in (*numbers, *(count / size for count in counts))]


def _share(text: str, belongs: Callable[[str], bool]) -> float:
    return sum(map(belongs, text)) / max(1, len(text))


def _is_mark(character: str) -> bool:
    return not character.isalnum() and not character.isspace()
