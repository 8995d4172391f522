"""Reads numbers as people write them: separators of thousands, decimal commas, words, scale words.

Source: Unicode CLDR number patterns (which languages write a decimal comma).
"""

from __future__ import annotations

import re
from fractions import Fraction

_COMMA_LANGUAGES = frozenset((
    "af", "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fr", "gl", "hr",
    "hu", "hy", "id", "is", "it", "ka", "kk", "lt", "lv", "mk", "nb", "nl", "nn", "no", "pl", "pt", "ro",
    "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk", "uz", "vi",
))  # fmt: skip
_GROUPED = re.compile(
    r"(?<![\w.,'\u2009])\d{1,3}(?:([,.'\u2009])\d{3}(?!\d))(?:\1\d{3}(?!\d))*([.,]\d+)?(?![\d]|[.,]\d)"
)
_SPACED = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3})+(?![\d/]| ?\d)")
_INDIAN = re.compile(r"(?<![\w.,])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d+),(\d+)(?![\d.,])")
_NOT_FIRST = re.compile(r"[(\[⦃]")
_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine":
    9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    word: 10 * n
    for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_SCALED = re.compile(r"(\d+(?:\.\d+)?)[ -]?(hundred|thousand|million|billion|trillion|dozen)s?\b", re.IGNORECASE)


def writes_comma(language: str | None) -> bool:
    """Says whether a language writes a decimal comma."""
    return language is not None and re.split(r"[-_]", language.casefold())[0] in _COMMA_LANGUAGES


def readings(text: str, language: str | None) -> list[str]:
    """Returns the text with its numbers in plain digits: as it is most likely meant first, then as it may be meant.

    >>> readings("1,234.5", None), readings("3,5", "de"), readings("1.234", "de")
    (['1234.5'], ['3.5', '3,5'], ['1234', '1.234'])
    """
    text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    text = re.sub(r"(?<=\d)\u2009(?=\d{3}(?!\d))", "", text)
    text = text.replace("\u2009", " ").strip()
    text = _INDIAN.sub(lambda m: m[0].replace(",", ""), text)
    comma = writes_comma(language)
    first = _joined(text, comma=comma)
    options = [first, _joined(text, comma=not comma) if comma or language is None else first, text]
    return list(dict.fromkeys(options))


def _joined(text: str, *, comma: bool) -> str:
    """Returns a text with separators of thousands removed and decimal commas made points."""
    inside = _depths(text)

    def group(match: re.Match[str]) -> str:
        sign, tail = match[1], match[2] or ""
        times = match[0].count(sign)
        if tail.startswith(sign):
            return match[0]
        if times == 1 and not tail and sign in ",.":
            if inside[match.start()] and sign == ",":
                return match[0]
            if (sign == ",") == comma:
                return match[0].replace(",", ".")
        if match[0][0] == "0" and sign != "'":
            return match[0]
        whole = match[0][: len(match[0]) - len(tail)]
        return whole.replace(sign, "") + tail.replace(",", ".")

    text = _GROUPED.sub(group, text)
    if comma and not _NOT_FIRST.search(text):
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    return text


def _depths(text: str) -> list[int]:
    depths = []
    depth = 0
    for letter in text:
        depth += (letter in "([⦃") - (letter in ")]⦄")
        depths.append(depth)
    return depths


def with_scales(text: str) -> str:
    """Returns a text in which scale words behind numbers are multiplied out: ``1.5 million`` is 1500000."""

    def value(match: re.Match[str]) -> str:
        number = Fraction(match[1]) * SCALES[match[2].casefold()]
        return str(number.numerator) if number.denominator == 1 else match[0]

    return _SCALED.sub(value, text)


def in_words(text: str) -> Fraction | None:
    """Returns the value of a number in English words, all of them.

    >>> in_words("three and a half"), in_words("two hundred and five"), in_words("two thirds")
    (Fraction(7, 2), Fraction(205, 1), Fraction(2, 3))
    """
    words = re.findall(r"[a-z]+", text.casefold())
    if not words or len(words) > 12 or re.search(r"[^A-Za-z\s-]", text):
        return None
    sign = -1 if words[0] in ("minus", "negative") else 1
    words = words[1:] if sign < 0 else words
    if words[-2:] in (["a", "half"], ["one", "half"], ["a", "quarter"]) and len(words) > 3 and words[-3] == "and":
        whole = _whole(words[:-3])
        return None if whole is None else sign * (whole + Fraction(1, _PARTS[words[-1]]))
    part = words[-1].removesuffix("s") if words[-1] != "halves" else "halves"
    if (part in _PARTS and len(words) > 1) or words == ["half"]:
        top = 1 if words[:-1] in (["a"], ["an"], []) else _whole(words[:-1])
        return None if not top or top >= _PARTS[part] * 10 else sign * Fraction(top, _PARTS[part])
    value = _whole(words)
    return None if value is None else Fraction(sign * value)


def _whole(words: list[str]) -> int | None:
    """Returns the value of a whole number's words; null where they do not make one number."""
    total = group = 0
    last = 10**15  # the scale of what came before
    filled = 10**15  # the place of what the group holds
    for i, word in enumerate(words):
        if word == "and" and 0 < i < len(words) - 1 and words[i - 1] in SCALES:
            continue
        if word in ("a", "an") and i == 0 and len(words) > 1 and words[1] in SCALES:
            group, filled = 1, 1
        elif word in _UNITS and filled > (10 if _UNITS[word] > 9 else 1):
            group, filled = group + _UNITS[word], 1
        elif word in _TENS and filled > 10:
            group, filled = group + _TENS[word], 10
        elif word == "hundred" and 0 < group < 100 and filled < 100:
            group, filled = group * 100, 100
        elif word in SCALES and word != "hundred" and group and SCALES[word] < last:
            last = SCALES[word]
            total, group, filled = total + group * last, 0, 10**15
        else:
            return None
    return total + group if words else None
