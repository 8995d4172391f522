r"""Reads a formula with its unit, currency or percent sign.

Source: the answers of GSM8K (arXiv:2110.14168).
"""

from __future__ import annotations

import re

from tasks.readers.values import algebra, digits, numerics
from tasks.readers.values.algebra import Formula, TooLargeError, UnreadError
from tasks.readers.values.formulas import formula
from tasks.readers.values.kinds import Quantity, Value
from tasks.readers.values.units import Unit, is_noun, unit

_CURRENCY = re.compile(r"^([+-]?) ?(?:US|AU|CA)?(¤|€|£|¥|₹|USD\b|EUR\b|GBP\b|Rs\.?(?= ?\d)) ?([+-]?)(?=[\s\d.\\(])")
_PERCENT = re.compile(r"\s*(?:%|percent(?:age points?)?\b|per cent\b)$", re.IGNORECASE)
_UNIT_START = re.compile(r"(?<![^\W\d_\\])(?:[^\W\d_]|\\(?:mu|Omega|degree|mathring)|[¤$€£₹¥¢])")
_SHORT_WORD = re.compile(r"no|up|on|in|it|he|we|us|me|my|so|at|by|go|to|am|pm|is|of|if|or|as|do|ok", re.IGNORECASE)


def quantity(text: str) -> Quantity:
    """Returns the quantity a text is."""
    if _SHORT_WORD.fullmatch(text):
        raise UnreadError("a word")
    percent = _PERCENT.search(text)
    if percent:
        text = text[: percent.start()].strip()
    currency = _CURRENCY.match(text)
    sort: Unit | None = None
    if currency:
        sort = unit({"¤": "USD", "Rs": "₹", "Rs.": "₹"}.get(currency[2], currency[2]))
        text = currency[1] + currency[3] + text[currency.end() :].strip()
    text = digits.with_scales(text)
    head, measure = _measured(text)
    return Quantity(head, sort or measure, bool(percent))


def _measured(text: str) -> tuple[Formula, Unit | None]:
    """Returns a formula and the unit behind it. A number before a known unit is measured in it, not multiplied."""
    problem: UnreadError | None = None
    for match in _UNIT_START.finditer(text):
        head, tail = text[: match.start()].strip(), text[match.start() :].replace("¤", "$")
        if not head or head[-1] in "+-*/^_({[,=" or head[-4:] == "cdot":
            continue
        measure = unit(tail)
        if measure is None:
            continue
        if is_noun(measure) and (
            not re.search(r"[^\W\d_]{3,}|^[^\W\d_]{2} |\b[^\W\d_]{2}$", tail)
            or (not text[match.start() - 1].isspace() and len(tail) < 3)
        ):
            continue
        number = digits.in_words(head)
        try:
            value = algebra.number(number) if number is not None else formula(head)
        except TooLargeError:
            raise
        except UnreadError as error:
            problem = error
            continue
        if numerics.approximation(value) is not None and not _is_product(head, tail):
            return value, measure
    try:
        return formula(text), None
    except UnreadError as error:
        raise (problem if isinstance(problem, TooLargeError) else error) from None


def _is_product(head: str, tail: str) -> bool:
    r"""Says whether letters behind a number are rather variables: ``2ab``, ``\pi r``, ``3e``."""
    return tail in ("e", "i", "x", "y") or (len(tail) == 1 and head[-1:].isalpha())


def product(text: str, value: Value) -> Value | None:
    """Returns the other reading of a letter glued to a number: a variable instead of a unit."""
    if not isinstance(value, Quantity) or value.unit is None or value.unit.clear or is_noun(value.unit):
        return None
    try:
        return Quantity(formula(text)) if re.fullmatch(r"-?[\d.]+[A-Za-z]", text) else None
    except UnreadError:
        return None
