"""Reads scores from a judge's reply: one number, one for each of several answers, or an object of them.

Source: MT-bench's ``[[7]]`` (arXiv:2306.05685, appendix A); the first line "8 7.5" of Vicuna's reviews.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from tasks.readers import lines, prose
from tasks.readers.quotes import only_repeats
from tasks.readers.structured import after_thinking
from tasks.readers.styles import Style
from tasks.readers.verdicts import Kind, Reading, read
from tasks.readers.words import NOUN, number_named

SCORE_KEYS = (
    "score", "final_score", "overall_score", "rating", "overall_rating", "final_rating", "overall", "grade",
    "bewertung", "punktzahl", "puntuación", "puntuacion", "评分", "得分", "分数",
)  # fmt: skip
_NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[ ,;]+[-+]?\d+(?:\.\d+)?)*")
_TUPLE = re.compile(
    r"(?:(?:so|therefore|thus|the|my|final|output|tuple|scores?|pair|ratings?|is|are|would|be|as|of|a|follows|i"
    r"|give)[\s:,]+)"
    r"{1,8}[\[(](?P<numbers>[-+\d., ;]{3,60})[\])]",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"\b(?:wait|actually|correction|scratch that|on (?:second thought|reflection)|should (?:rather "
    r"|instead )?be)\b[^\n]{0,80}"
    r"\b\d+(?:\.\d+)?(?:[ ;]| and |, )\d",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"^[ \t*_#>-]{{0,12}}{NOUN}[ \t]{{0,4}}[\[(\"'*]{{0,3}}(?P<name>[a-z]|\d{{1,2}})\b[\])\"'*]{{0,3}}(?:'s)?"
    r"(?: score| rating)?[ \t*_]{0,8}[:=][ \t*_]{0,8}"
    r"(?P<value>\d+(?:\.\d+)?(?:[ \t]{0,4}(?:/|out of)[ \t]{0,4}\d+)?)(?![\d.%]\d)(?![ \t]*(?:-|–|to\b|or\b)[ \t]*\d)",
    re.IGNORECASE | re.MULTILINE,
)


def read_score(text: str, lowest: float, highest: float, shown: Sequence[str] = (), *, style: Style = "any") -> Reading:
    """Returns the number the reply names, or ``None``; a number outside the scale is not read, never bent.

    Args:
        style: the one form that is read; ``any`` reads all.
    """

    def understand(value: object) -> Hashable:
        return number_named(value, lowest, highest)

    def said(sentence: str) -> tuple[Hashable, str] | None:
        number = prose.number_said(sentence)
        return None if number is None else (number_named(number, lowest, highest), number)

    return read(text, Kind(SCORE_KEYS, lines.SCORE, understand, understand, said), shown, style)


def read_scores(
    text: str, labels: Sequence[str], lowest: float, highest: float, shown: Sequence[str] = ()
) -> list[float] | None:
    """Returns a number for each label, or ``None``.

    They stand alone on the first or the last line, in the order of the labels, or each on a line with its label
    (``Assistant 1: 7``). A reply that gives a label two different numbers gives none. Where a text that was shown holds
    such lines, only those count that end the reply.
    """
    start = after_thinking(text)
    rows = [line.strip() for line in text[start:].splitlines() if line.strip()]
    if not rows or only_repeats(text, start, shown):
        return None
    strict = any(_labelled(seen, 0) or _numbers(seen.splitlines(), len(labels)) for seen in shown)
    ends = rows[-1:] if strict else [rows[0], rows[-1]]
    values = _numbers(ends, len(labels))
    if not values:
        named = _labelled("\n".join(rows[-len(labels) :]) if strict else text[start:], 0)
        each = [{value for name, value in named if name == label} for label in labels]
        values = [[group.pop() if len(group) == 1 else "" for group in each]]
    elif not strict and not _numbers(ends[1:], len(labels)) and _AGAIN.search("\n".join(rows[-2:])[-600:]):
        return None
    scores = [[number_named(value, lowest, highest) for value in group] for group in values]
    first = [value for value in scores[0] if value is not None]
    return first if len(first) == len(labels) and all(other == first for other in scores) else None


def _numbers(rows: Sequence[str], count: int) -> list[list[str]]:
    """Returns the lines that hold so many numbers and nothing else, but words before a colon or "the tuple is"."""
    bare = [line[-300:].rpartition(":")[2].strip(" \t*`.()[]") for line in rows]
    bare = [
        match["numbers"].strip() if len(row) < 200 and (match := _TUPLE.fullmatch(row.strip(" \t*`."))) else line
        for line, row in zip(bare, rows, strict=True)
    ]
    split = [re.split(r"[ ,;]+", line) for line in bare if _NUMBERS.fullmatch(line)]
    return [values for values in split if len(values) == count]


def _labelled(text: str, start: int) -> list[tuple[str, str]]:
    """Returns the lines that give an answer a number, such as "Assistant 1: 7/10 (clear)", as pairs of words."""
    return [(match["name"].upper(), match["value"]) for match in _LABELLED.finditer(text, start)]


def read_object(text: str, key: str, shown: Sequence[str] = ()) -> Reading:
    """Returns the mapping that the reply's JSON object holds under the key, or ``None``."""

    def understand(value: object) -> Hashable:
        return _Content(value) if isinstance(value, Mapping) else None

    kind = Kind((key,), re.escape(key), understand, lambda _: None, lambda _: None)
    reading = read(text, kind, shown)
    return reading._replace(value=reading.value.content) if reading.value is not None else reading


class _Content:
    """A mapping that can be compared with another in a set."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self.content == other.content

    def __hash__(self) -> int:
        return hash(len(self.content))
