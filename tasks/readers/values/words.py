"""Reads and compares answers in words, options, times and dates.

Source: BBH (arXiv:2210.09261) and MMLU (arXiv:2009.03300) answer forms.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from tasks.readers.values.kinds import Clock, Day, Words

_CLASSES = [
    {word: i for i, words in enumerate(rows) for word in words.split()}
    for rows in (
        ("yes true correct right valid affirmative", "no false incorrect wrong invalid untrue negatory"),
        ("monday mon", "tuesday tue", "wednesday wed", "thursday thu", "friday fri", "saturday sat", "sunday sun"),
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"),
        ("increasing increase increases", "decreasing decrease decreases"),
        ("even", "odd"), ("possible", "impossible"), ("rational", "irrational"), ("finite", "infinite"),
        ("positive", "negative", "zero"), ("convergent converges", "divergent diverges"), ("male", "female"),
        ("left", "right"), ("north", "south", "east", "west"), ("more", "less"), ("always", "sometimes", "never"),
        ("entailment", "neutral", "contradiction"), ("acute", "obtuse"), ("equal", "unequal"),
        ("dependent", "independent"), ("plausible", "implausible"), ("sarcastic", "unsarcastic"),
    )
]  # fmt: skip
_ARTICLES = {"a", "an", "the"}
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_CLOCK = re.compile(
    r"(\d{1,2})(?::([0-5]\d))?(?::([0-5]\d))? ?([ap])\.? ?m\b\.?|(\d{1,2}):([0-5]\d)(?::([0-5]\d))?", re.I
)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?", re.I)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9})\.?(?:,? (\d{4}))?", re.I)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LETTER = re.compile(r"(?:(?:option|choice|answer) )?(?:\( ?([A-Za-z]) ?\)|([A-J])[.):]?)", re.I)
_LETTERED = re.compile(r"(?:\( ?([A-Z]) ?\)|([A-J])(?:[.):]| ?-(?= )))[.:]?\s*(\S.*)")


def option(text: str) -> tuple[str, str] | None:
    """Returns the letter of a choice and the text behind it.

    >>> option("(C) 42"), option("B"), option("x"), option("option d")
    (('C', '42'), ('B', ''), None, ('D', ''))
    """
    match = _LETTER.fullmatch(text)
    if match and (match[1] or match[2].isupper() or len(text) > 2):
        return (match[1] or match[2]).upper(), ""
    match = _LETTERED.fullmatch(text)
    return (match[1] or match[2], match[3].strip()) if match else None


def clock(text: str) -> Clock | None:
    """Returns the time of day a text is; ``3:04`` is one, ``3:4`` is not."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (
        int(part or 0) for part in (match[1] or match[5], match[2] or match[6], match[3] or match[7])
    )
    half = (match[4] or "").lower()
    if hours > 24 or (half and not 1 <= hours <= 12):
        return None
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    return Clock(hours * 3600 + minutes * 60 + seconds, "m" if half else "")


def day(text: str) -> Day | None:
    """Returns the date a text is, where the month has a name or the year comes first."""
    if match := _ISO.fullmatch(text):
        return _day(match[1], int(match[2]), match[3])
    if match := _MONTH_DAY.fullmatch(text):
        return _day(match[3], _month(match[1]), match[2])
    if match := _DAY_MONTH.fullmatch(text):
        return _day(match[3], _month(match[2]), match[1])
    return None


def _month(name: str) -> int:
    name = name.lower()
    return next((i for i, month in enumerate(_MONTHS, 1) if month == name or month[:3] == name), 0)


def _day(year: str | None, month: int, day: str) -> Day | None:
    return Day(int(year) if year else None, month, int(day)) if 1 <= month <= 12 and 1 <= int(day) <= 31 else None


def words(text: str) -> Words | None:
    """Returns an answer in words: letters, spaces and punctuation, no formula."""
    if not re.search(r"[^\W\d_]{2,}", text) or re.search(r"[=<>^\\+*/|{}_⦃⦄⏎]", text):
        return None
    parts = re.findall(r"\w+(?:['-]\w+)*", text.casefold())
    parts = [part for part in parts if part not in _ARTICLES] or parts
    return Words(tuple(parts)) if parts else None


def compare_words(a: Words, b: Words) -> bool | None:
    """Says whether two answers in words are the same; null where one may be another way to say the other.

    Different are two of one class (days, yes and no), and short answers without a common word or a likeness.
    """
    if a == b:
        return True
    if len(a.words) == len(b.words) == 1:
        for rows in _CLASSES:
            one, two = rows.get(a.words[0]), rows.get(b.words[0])
            if one is not None and two is not None:
                return False if one != two else None
    if max(len(a.words), len(b.words)) > 4 or any(letter.isdigit() for letter in "".join(a.words + b.words)):
        return None
    if any(_alike(x, y) for x in a.words for y in b.words):
        return None
    initials = ["".join(word[0] for word in side.words) for side in (a, b)]
    if any("".join(side.words) == other for side, other in zip((a, b), reversed(initials), strict=True)):
        return None
    polar = [_CLASSES[0].get(side.words[0]) for side in (a, b)]
    if any("not" in side.words or "none" in side.words for side in (a, b)) or None not in polar:
        return None
    if not all(_latin(side) for side in (a, b)):
        return None
    return False


def _alike(x: str, y: str) -> bool:
    if x in y or y in x:
        return min(len(x), len(y)) > 2 or x == y
    return SequenceMatcher(None, x, y, autojunk=False).ratio() > 0.72


def _latin(side: Words) -> bool:
    return all((letter.isalpha() and letter < "\u0250") or letter in "'-" for word in side.words for letter in word)


def holds(answer: str, reference: str) -> bool:
    """Says whether an answer has the reference somewhere in it, as words or numbers of its own."""
    answer, reference = answer.casefold(), reference.casefold()
    if not reference or reference == answer:
        return False
    at = answer.find(reference)
    while at >= 0:
        before, behind = answer[:at][-1:], answer[at + len(reference) :][:1]
        if not (before.isalnum() and reference[0].isalnum()) and not (behind.isalnum() and reference[-1].isalnum()):
            return True
        at = answer.find(reference, at + 1)
    return False
