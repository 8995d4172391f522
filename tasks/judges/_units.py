"""Counts a text in the units that lengths and repetition are measured in.

Source: Unicode TR 29, simplified: words are runs of letters and digits; Han, kana and Thai letters are words.
"""

from __future__ import annotations

import re

from tasks.judges import _sentences

_WORDS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]|[^\W_\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]+(?:['’-][^\W_]+)*"
)
UNITS = ("words", "characters", "sentences", "lines", "paragraphs", "tokens")


def words(text: str) -> list[str]:
    """Returns the words of a text.

    >>> words("Don't re-enter: 東京"), words("")
    (["Don't", 're-enter', '東', '京'], [])
    """
    return _WORDS.findall(text)


def count(text: str, unit: str) -> int:
    """Returns how many of a unit a text holds.

    Raises:
        ValueError: an unknown unit, or ``tokens``, which a text does not know.
    """
    if unit == "words":
        return len(words(text))
    if unit == "characters":
        return len(text)
    if unit == "sentences":
        return _sentences.count(text)
    if unit == "lines":
        return sum(bool(line.strip()) for line in text.split("\n"))
    if unit == "paragraphs":
        return sum(bool(part.strip()) for part in text.split("\n\n"))
    raise ValueError(f"the unit is {unit!r}, allowed are {', '.join(UNITS)}")
