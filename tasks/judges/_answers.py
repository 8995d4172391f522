r"""Finds the final answer of a solution and reads it as an exact number.

Source: GSM8K's ``#### 18`` (arXiv:2110.14168, section 2), ``\boxed{18}`` of MATH (arXiv:2103.03874), ``A: 18``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_EXPLICIT = re.compile(
    r"(?P<boxed>\\f?boxed\s*\{)"
    r"|\#{4}[ \t]*(?=[-−+$€£¥(\\.\d])"  # not the markdown heading "#### Step 2"
    r"|^[\s>*_-]*A[*_]*\s*:"
    r"|\banswer[*_]*\s*(?:is\s*)?[:=]",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(r"\banswer[*_]*\s+(?:is|equals)\b", re.IGNORECASE)
_CALCULATOR = re.compile(r"<<[^<>]*>>")
_WRAPPING = re.compile(r"\*\*|__|\\[()\[\]!,;:]|\\(?:left|right|displaystyle)\b|(?<!\\)\$(?!\s*[-−]?[\d.])|`")
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([^{}]*)\}")
_NUMBER = re.compile(
    r"(?:about |approximately |approx\.? |[≈~] ?)?"
    r"(?P<sign>[-−–+]?)\s*(?:\\?[$€£¥₹]|USD |EUR |US\$)?\s*(?P<inner>[-−]?)"
    r"(?P<number>\d{1,3}(?:[, \u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3})?"
    r"(?:(?: (?P<top>\d+))? ?/ ?(?P<bottom>\d+(?:\.\d+)?))?"
    r"\s*(?P<percent>\\?%|per ?cent\b)?"
    r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|trillion|dozen)s?\b)?"
    r"(?P<unit>[^\d]*)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[\s.!?,;:)]*|\s*/?\s*(?:[^\W\d_]{2,}|[°mgshlLCFKWVJN]\b)(?:['’.,/²³!-]|\s|[^\W\d_])*")
_BEHIND = re.compile(r"(?<=[\d)}])\s+[A-Za-z][A-Za-z ]*$")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_NOT_UNITS = re.compile(
    r"\b(?:than|plus|minus|squared|cubed|and|or|to|hal(?:f|ves)|thirds?|quarters?|pi|sqrt|log|ln|sin|cos|tan|exp"
    r"|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|per ?cent|mod)\b",
    re.IGNORECASE,
)


class Answer(NamedTuple):
    """A final answer as it stands in the text, and whether the text ends inside it."""

    text: str
    at_end: bool


def final_answer(text: str) -> Answer | None:
    r"""Returns what follows the last mark of a final answer, or null when nothing in the text is marked as one.

    Marks are ``\boxed{…}``, ``####``, a line that starts with ``A:``, and ``Answer:``; where none of them occurs,
    ``answer is``. A text that is nothing but a number is its own answer.
    """
    marks = list(_EXPLICIT.finditer(text)) or list(_SAID.finditer(text))
    if not marks:
        bare = text.strip()
        return Answer(bare, at_end=True) if len(bare) < 40 and values(bare) else None
    mark = marks[-1]
    rest = text[mark.end() :]
    if mark.re is _EXPLICIT and mark["boxed"]:
        inside = _braced(rest)
        return Answer(rest, at_end=True) if inside is None else Answer(inside, at_end=False)
    lines = rest.lstrip().split("\n", 1)
    return Answer(lines[0].strip(), at_end=len(lines) == 1)


def _braced(text: str) -> str | None:
    """Returns the text up to the brace that closes the one before it; null when none does."""
    depth = 1
    for i, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return text[:i]
    return None


def bare(text: str) -> str:
    """Returns an answer without calculator notes, emphasis, maths delimiters and a closing stop."""
    text = _TEXT.sub(r" \1 ", _CALCULATOR.sub("", text.strip()))
    return _WRAPPING.sub("", text).strip().rstrip(".").strip()


def values(text: str) -> frozenset[Fraction]:
    r"""Returns the exact values an answer may have: one, two for a percentage, none when it is no plain number.

    Signs, currency, thousands separators, decimals, fractions, mixed numbers, scale words and trailing units are read.

    >>> sorted(values("$1,234.50 dollars")) == [Fraction(2469, 2)]
    True
    >>> sorted(values("10+John's age"))
    []
    """
    text = bare(text)
    value = _one(text)
    if value is None and "=" in text:  # "16 - 3 = 13": what it comes to
        value = _one(text.rpartition("=")[2].strip())
    return frozenset() if value is None else value


def without_unit(text: str) -> str:
    """Returns an answer without the words behind its last number, as long as they do not change its value.

    >>> without_unit("25+25 dollars"), without_unit("3 and a half")
    ('25+25', '3 and a half')
    """
    found = _BEHIND.search(text)
    return text if found is None or _NOT_UNITS.search(found[0]) else text[: found.start()]


def _one(text: str) -> frozenset[Fraction] | None:
    found = _NUMBER.fullmatch(text)
    if found is None or not _UNIT.fullmatch(found["unit"]) or _NOT_UNITS.search(found["unit"]):
        return None
    number = Fraction(re.sub(r"[, \u00a0\u202f]", "", found["number"]) + (found["exponent"] or ""))
    if found["bottom"]:
        bottom = Fraction(found["bottom"])
        if not bottom:
            return None
        number = number + int(found["top"]) / bottom if found["top"] else number / bottom
    number *= _SCALES.get((found["scale"] or "").lower(), 1)
    if (found["sign"] in "-−–" and found["sign"] != "") != (found["inner"] != ""):
        number = -number
    return frozenset({number, number / 100}) if found["percent"] else frozenset({number})
