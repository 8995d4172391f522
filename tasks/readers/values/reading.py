r"""Reads a short answer as what it is: a number, a formula, an equation, a set, an interval, a matrix, a word.

Source: the answer kinds of MATH (arXiv:2103.03874), GSM8K (arXiv:2110.14168) and OlympiadBench (arXiv:2402.14008).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from tasks.readers.values import algebra, digits, markup
from tasks.readers.values import words as texts
from tasks.readers.values.algebra import Formula, TooLargeError, UnreadError
from tasks.readers.values.formulas import formula
from tasks.readers.values.kinds import (
    Based,
    Grid,
    Group,
    Infinite,
    Option,
    Quantity,
    Ratio,
    Spans,
    Value,
    span,
)
from tasks.readers.values.quantities import product, quantity
from tasks.readers.values.relations import is_name, related

LONGEST = 300
_DEEPEST = 6
_ABOUT = re.compile(r"^(?:about|approximately|approx\.?|roughly|exactly|around|only|\\approx)\s+(?=\S)", re.IGNORECASE)
_BASED = re.compile(r"([0-9A-Za-z]+) ?(?:_ ?(?:\{ ?([0-9a-z]+) ?\}|(\d+))| base[ -]?([0-9a-z]+))")
_GRID = re.compile(r"\\begin ?\{([bpBv]?matrix|smallmatrix|array|cases)\}(?:\{[^{}]*\})?(.*?)\\end ?\{\1\}")
_INTERVAL_SET = re.compile(r"(\\cup|\bU\b|\bunion\b)")
_SIGN = re.compile(r"\\(?:le|ge|ne|approx|in)\b|<=|>=|!=|[=<>]")
_SEPARATOR = re.compile(r",\s*(?:and|or)\b|[,;]|\b(?:and|or)\b|(?<=\d) (?:y|et|und|e|и|ou|oder) (?=[-\d\\])|以及|和|或")


class Readings(NamedTuple):
    """What a text may mean, the likeliest first; and whether the others are nearly as likely."""

    values: tuple[Value, ...]
    doubtful: bool


@lru_cache(maxsize=8192)
def readings(text: str, language: str | None, *, reference: bool) -> Readings:
    r"""Returns what an answer may mean: none where it is not understood.

    A text is doubtful where one spelling has two values: ``1.234`` in a language with a decimal comma, when it is a
    reference, which may be written for a machine; and ``5m`` as a reference, a length or a product.
    """
    values: list[Value] = []
    large = False
    options = digits.readings(markup.scaled(text), language)
    for option in options:
        try:
            value = read(option)
        except TooLargeError:
            large = True
            continue
        except (UnreadError, ArithmeticError, RecursionError):
            continue
        if value not in values:
            values.append(value)
    doubtful = reference and digits.writes_comma(language) and len(values) > 1
    if len(values) == 1 and (other := product(options[0], values[0])) is not None:
        values.append(other)
        doubtful = doubtful or reference
    if large and not values:
        raise TooLargeError("the value is too large to write down")
    return Readings(tuple(values), doubtful)


def read(text: str, depth: int = 0) -> Value:
    """Returns what a text in plain notation is.

    Raises:
        UnreadError: it is nothing that is understood.
    """
    text = text.strip()
    if not text or depth > _DEEPEST:
        raise UnreadError("nothing to read")
    text = _ABOUT.sub("", text)
    if (number := digits.in_words(text)) is not None:
        return Quantity(algebra.number(number))
    special = _special(text, depth)
    if special is not None:
        return special
    if "\\pm" in text or "\\mp" in text or "+/-" in text:
        return _both_signs(text.replace("+/-", "\\pm "), depth)
    parts = _split(text, _SEPARATOR)
    if len(parts) > 2:
        return _list(parts[::2], depth)
    parts = _split(text, _INTERVAL_SET)
    if len(parts) > 2:
        return _union([read(part, depth + 1) for part in parts[::2]])
    parts = _split(text, _SIGN)
    if len(parts) > 1:
        if parts[1] == "\\in" and is_name(parts[0]) and len(parts) == 3:
            inside = read(parts[2], depth + 1)
            return _as_spans(inside) or inside
        return related(parts, depth, read)
    bracketed = _bracketed(text, depth)
    if bracketed is not None:
        return bracketed
    return quantity(text)


def _special(text: str, depth: int) -> Value | None:
    choice = texts.option(text)
    if choice is not None:
        letter, rest = choice
        return Option(letter, _maybe(rest, depth) if rest else None)
    if "\\begin" in text:
        return _grid(text, depth)
    plain = re.sub(r"\s+", " ", text)
    moment = texts.clock(plain) or texts.day(plain)
    if moment is not None:
        return moment
    if (based := _BASED.fullmatch(plain)) is not None:
        return _based(based[1], based[2] or based[3] or based[4])
    ratio = re.fullmatch(r"(\d+(?:\.\d+)?)(?: ?: ?| to )(\d+(?:\.\d+)?)(?: ?: ?(\d+(?:\.\d+)?))?", plain)
    if ratio:
        return Ratio(tuple(Fraction(part) for part in ratio.groups() if part))
    infinite = re.fullmatch(r"([+-]?) ?(?:\\infty|infinity|oo)", plain, re.IGNORECASE)
    if infinite:
        return Infinite(-1 if infinite[1] == "-" else 1)
    if re.fullmatch(r"\\(?:emptyset)|⦃ ?⦄|(?:no (?:real )?solutions?|(?:the )?empty set)", plain, re.IGNORECASE):
        return Group("⦃⦄", ())
    if re.fullmatch(r"\\R|\\mathbb ?\{? ?R ?\}?|(?:all )?(?:the )?real numbers|all reals", plain, re.IGNORECASE):
        return Spans(frozenset({("-oo", "oo", False, False)}))
    return None


def _maybe(text: str, depth: int) -> Value | None:
    try:
        return read(text, depth + 1)
    except UnreadError:
        return texts.words(text)


def _based(number: str, base_text: str) -> Value:
    value = digits.in_words(base_text) if base_text.isalpha() else Fraction(base_text)
    base = int(value) if value is not None else 0
    places = [int(digit, 36) for digit in number]
    if not 2 <= base <= 36 or max(places) >= base or len(number) > 64 or not number[0].isdigit():
        if number.isalpha():
            return Quantity(formula(f"{number}_{{{base_text}}}"))
        raise UnreadError("a digit does not belong to its base")
    return Based(number.upper().lstrip("0") or "0", base)


def _split(text: str, separator: re.Pattern[str]) -> list[str]:
    """Returns a text cut at separators outside all brackets: text, separator, text and so on."""
    parts, start, depth = [], 0, 0
    depths = []
    for letter in text:
        depth += (letter in "([{⦃") - (letter in ")]}⦄")
        depths.append(depth)
    for match in separator.finditer(text):
        if depths[match.start()] == 0 and match.start() >= start:
            parts += [text[start : match.start()].strip(), match[0]]
            start = match.end()
    return [*parts, text[start:].strip()]


def _list(parts: list[str], depth: int) -> Group:
    items: list[object] = []
    for part in parts:
        if not part:
            raise UnreadError("a list has an empty place")
        try:
            item: Value = read(part, depth + 1)
        except TooLargeError:
            raise
        except UnreadError:
            word = texts.words(part)
            if word is None or len(word.words) > 3:
                raise
            item = word
        items += item.items if isinstance(item, Group) and item.brackets == "" else [item]
    units = {item.unit for item in items if isinstance(item, Quantity) and item.unit}
    if len(units) == 1:  # "2 and 7 cm"
        (only,) = units
        items = [item._replace(unit=only) if isinstance(item, Quantity) else item for item in items]
    spans = [_as_spans(item) for item in items]
    if all(isinstance(item, Spans) for item in items):
        return Group("", (Spans(frozenset().union(*(s.spans for s in spans if s))),))
    return Group("", tuple(items))


def _as_spans(value: object) -> Spans | None:
    return value if isinstance(value, Spans) else span(value)


def _union(values: list[Value]) -> Value:
    spans = [_as_spans(value) for value in values]
    if all(spans):
        return Spans(frozenset().union(*(part.spans for part in spans if part)))
    if all(isinstance(value, Group) and not value.ordered for value in values):
        return Group("⦃⦄", tuple(item for value in values for item in value.items))  # type: ignore[union-attr]
    raise UnreadError("a union of what are no sets")


def _both_signs(text: str, depth: int) -> Value:
    parts = _split(text, _SEPARATOR)
    if len(parts) > 2:
        return _list(parts[::2], depth)
    upper = text.replace("\\pm", "+").replace("\\mp", "-")
    lower = text.replace("\\pm", "-").replace("\\mp", "+")
    return _list([upper, lower], depth)


def _bracketed(text: str, depth: int) -> Value | None:
    """Reads a text that stands in one pair of brackets, as a set, a point or an interval; null when it does not."""
    if text[0] not in "([⦃{" or text[-1] not in ")]⦄}":
        return None
    level = 0
    for i, letter in enumerate(text):
        level += (letter in "([{⦃") - (letter in ")]}⦄")
        if level == 0 and i < len(text) - 1:
            return None
    inside = text[1:-1].strip()
    pair = text[0] + text[-1]
    if pair not in ("()", "[]", "(]", "[)", "⦃⦄", "{}") or not inside:
        raise UnreadError("brackets do not match")
    parts = _split(inside, re.compile(r"[,;]" if pair != "()" or ";" in inside else r","))
    if len(parts) == 1:
        value = read(inside, depth + 1)
        if pair in ("⦃⦄", "{}") and pair == "⦃⦄":
            return Group("⦃⦄", value.items if isinstance(value, Group) and not value.ordered else (value,))
        return value if pair == "()" or pair == "{}" else Group(pair, (value,))
    group = _list(parts[::2], depth)
    return Group("⦃⦄" if pair == "{}" else pair, group.items)


def _grid(text: str, depth: int) -> Value:
    match = _GRID.search(text)
    if match is None or "\\begin" in match[2]:
        raise UnreadError("an environment is not understood")
    before, behind = text[: match.start()].strip(), text[match.end() :].strip()
    before = re.sub(r"^[A-Za-z](?: ?\( ?[a-z] ?\))? ?= ?", "", before)
    if (before[-1:], behind) in (("(", ")"), ("[", "]")):
        before, behind = before[:-1].strip(), ""
    if behind or match[1] == "vmatrix":
        raise UnreadError("a matrix is part of a formula")
    rows = [row.split("&") for row in match[2].split("⏎") if row.strip()]
    factor = formula(before) if before and match[1] != "cases" else None
    result = []
    for row in rows:
        cells = [read(re.sub(r"^(?:if|for|when)\b", "", cell.strip()).strip(" ,"), depth + 1) for cell in row]
        if factor is not None:
            cells = [_multiplied(cell, factor) for cell in cells]
        result.append(tuple(cells))
    if not result:
        raise UnreadError("a matrix is empty")
    return Grid(tuple(result))


def _multiplied(cell: Value, factor: Formula) -> Value:
    if not isinstance(cell, Quantity):
        raise UnreadError("a matrix has a cell that is no formula")
    return cell._replace(formula=algebra.multiply(cell.formula, factor))
