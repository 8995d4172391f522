"""The kinds of answers, and the text by which equal ones are equal.

Source: the answer kinds of MATH (arXiv:2103.03874), GSM8K (arXiv:2110.14168) and OlympiadBench (arXiv:2402.14008).
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from tasks.readers.values import algebra
from tasks.readers.values.algebra import Formula
from tasks.readers.values.units import Unit, is_noun


class Quantity(NamedTuple):
    """A formula, with the unit, the percent sign and the name it is given under."""

    formula: Formula
    unit: Unit | None = None
    percent: bool = False
    name: str | None = None


class Infinite(NamedTuple):
    """Infinity, with its sign."""

    sign: int


class Relation(NamedTuple):
    """An equation or inequality: the difference of its sides, and how that stands to zero."""

    sign: str  # = < <= !=
    difference: Formula


class Group(NamedTuple):
    """Several answers: in brackets, in braces, or none."""

    brackets: str
    items: tuple[object, ...]

    @property
    def ordered(self) -> bool:
        """Says whether the order matters."""
        return self.brackets not in ("", "⦃⦄")


class Spans(NamedTuple):
    """A union of intervals, each with its ends as texts and whether they belong to it."""

    spans: frozenset[tuple[str, str, bool, bool]]


class Grid(NamedTuple):
    """A matrix, or the branches of a definition by cases."""

    rows: tuple[tuple[object, ...], ...]


class Based(NamedTuple):
    """A number in a base that is written with it."""

    digits: str
    base: int


class Ratio(NamedTuple):
    """A ratio of two or more numbers."""

    parts: tuple[Fraction, ...]


class Clock(NamedTuple):
    """A time of day: seconds, and whether its half of the day is said."""

    seconds: int
    half: str


class Day(NamedTuple):
    """A date; the year may be missing."""

    year: int | None
    month: int
    day: int


class Option(NamedTuple):
    """The letter of a choice, with its text where that is given."""

    letter: str
    text: object | None = None


class Words(NamedTuple):
    """An answer in words, without case, articles and punctuation."""

    words: tuple[str, ...]


Value = Quantity | Infinite | Relation | Group | Spans | Grid | Based | Ratio | Clock | Day | Option | Words


def written(formula: Formula) -> str:
    """Returns a formula as a text in which identical ones are equal."""
    value = algebra.constant(formula)
    if value is not None:
        return str(value)
    top, bottom = (_sum(part) for part in formula)
    return top if bottom == "1" else f"({top})/({bottom})"


def _sum(total: algebra.Sum) -> str:
    terms = []
    for product, factor in sorted(total.items(), key=repr):
        names = [_atom(name) + ("" if exponent == 1 else f"^({exponent})") for name, exponent in product]
        terms.append("*".join([str(factor)] * (factor != 1 or not names) + names))
    return " + ".join(terms) or "0"


def _atom(name: algebra.Atom) -> str:
    if name[0] in ("x", "#"):
        return str(name[1])
    if name[0] == "i":
        return "i"
    parts = ", ".join(written(algebra.thawed(part)) for part in name[1 if name[0] == "r" else 2 :])
    return f"({parts})" if name[0] == "r" else f"{name[1]}({parts})"


def key(value: object) -> str:
    """Returns the text of an answer in which equal answers are equal: currency, nouns and names are left out."""
    if isinstance(value, Quantity):
        formula = value.formula
        if value.percent:
            formula = algebra.divide(formula, algebra.number(100))
        measured = value.unit is not None and not is_noun(value.unit)
        if value.unit is None or not measured or {name for name, _ in value.unit.powers} & {"dollar", "angle"}:
            return written(formula)
        kinds = "*".join(f"{name}^{power}" if power != 1 else name for name, power in value.unit.powers)
        return f"{written(algebra.multiply(formula, algebra.number(value.unit.factor)))} {kinds}"
    if isinstance(value, Infinite):
        return "-oo" if value.sign < 0 else "oo"
    if isinstance(value, Relation):
        return f"{written(_scaled(value))} {value.sign} 0"
    if isinstance(value, Group):
        items = [key(item) for item in value.items]
        if not value.ordered:
            return items[0] if len(set(items)) == 1 else "{" + "; ".join(sorted(set(items))) + "}"
        return value.brackets[0] + "; ".join(items) + value.brackets[1]
    if isinstance(value, Spans):
        parts = sorted(f"{'[' if c else '('}{lo}; {hi}{']' if d else ')'}" for lo, hi, c, d in value.spans)
        return " u ".join(parts)
    if isinstance(value, Grid):
        return "[" + "; ".join(", ".join(key(item) for item in row) for row in value.rows) + "]"
    if isinstance(value, Option):
        return f"option {value.letter}"
    if isinstance(value, Words):
        return " ".join(value.words)
    if isinstance(value, Based):
        return f"{value.digits}_{value.base}"
    if isinstance(value, Ratio):
        return ":".join(str(part / (value.parts[0] or 1)) for part in value.parts)
    if isinstance(value, Clock):
        return f"{value.seconds // 3600}:{value.seconds % 3600 // 60:02}:{value.seconds % 60:02}{value.half}"
    assert isinstance(value, Day)
    return f"{value.year or ''}-{value.month:02}-{value.day:02}"


def _scaled(relation: Relation) -> Formula:
    top = relation.difference.top
    lead = max(top, key=repr, default=())
    scale = top.get(lead, Fraction(1))
    scale = abs(scale) if relation.sign in ("<", "<=") else scale
    return Formula({product: factor / scale for product, factor in top.items()}, {(): Fraction(1)})


def span(value: object) -> Spans | None:
    """Returns the interval that a pair in brackets may be."""
    if not isinstance(value, Group) or len(value.items) != 2 or not value.ordered:
        return None
    ends = [key(item) for item in value.items if isinstance(item, Quantity | Infinite)]
    if len(ends) != 2:
        return None
    return Spans(frozenset({(ends[0], ends[1], value.brackets[0] == "[", value.brackets[1] == "]")}))
