"""Exact arithmetic on short formulas: sums of products of powers over a second such sum, bounded in size.

Source: canonical rational forms, Geddes, Czapor, Labahn, "Algorithms for Computer Algebra" (1992), chapter 3.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, cast

Atom = tuple[object, ...]  # ("x", name), ("#", prime), ("i",), ("r", frozen base), ("f", name, *frozen arguments)
Product = tuple[tuple[Atom, Fraction], ...]
Sum = dict[Product, Fraction]
Frozen = tuple[tuple[tuple[Product, Fraction], ...], tuple[tuple[Product, Fraction], ...]]

_BITS = 14_000
_TERMS = 64


class UnreadError(ValueError):
    """A text is no formula that is understood."""


class TooLargeError(UnreadError):
    """A formula is understood but its value would be too large to write down."""


class Formula(NamedTuple):
    """A sum over a sum."""

    top: Sum
    bottom: Sum


def number(value: Fraction | int) -> Formula:
    """Returns a constant."""
    value = Fraction(value)
    return Formula({(): value} if value else {}, {(): Fraction(1)})


def atom(*parts: object) -> Formula:
    """Returns a formula that is one symbol."""
    return Formula({((parts, Fraction(1)),): Fraction(1)}, {(): Fraction(1)})


IMAGINARY = atom("i")


def constant(formula: Formula) -> Fraction | None:
    """Returns the value of a formula that is a rational number."""
    if formula.bottom != {(): 1}:
        return None
    if not formula.top:
        return Fraction(0)
    return formula.top.get(()) if len(formula.top) == 1 else None


def _checked(total: Sum) -> Sum:
    if len(total) > _TERMS:
        raise TooLargeError("a formula has too many terms")
    for value in total.values():
        if value.numerator.bit_length() > _BITS or value.denominator.bit_length() > _BITS:
            raise TooLargeError("a number has too many digits")
    return total


def _plus(a: Sum, b: Sum) -> Sum:
    total = dict(a)
    for product, value in b.items():
        total[product] = total.get(product, Fraction(0)) + value
    return _checked({product: value for product, value in total.items() if value})


def _times(a: Sum, b: Sum) -> Sum:
    if len(a) * len(b) > _TERMS * 16:
        raise TooLargeError("a formula has too many terms")
    total: Sum = {}
    for left, x in a.items():
        for right, y in b.items():
            for product, value in joined(left, right, x * y).items():
                total[product] = total.get(product, Fraction(0)) + value
    return _checked({product: value for product, value in total.items() if value})


def joined(left: Product, right: Product, value: Fraction) -> Sum:
    """Returns the product of two products: powers of one atom meet; whole powers of primes, of i and of roots go."""
    powers: dict[Atom, Fraction] = dict(left)
    for name, exponent in right:
        powers[name] = powers.get(name, Fraction(0)) + exponent
    expanded: Sum = {}
    for name in [name for name in powers if name[0] in ("#", "i", "r")]:
        exponent = powers[name]
        whole = exponent.numerator // exponent.denominator
        if name[0] == "#":
            prime = int(str(name[1]))
            if abs(whole) * prime.bit_length() > _BITS:
                raise TooLargeError("a power is too large")
            value *= Fraction(prime) ** whole
            powers[name] = exponent - whole
        elif name[0] == "i" and exponent.denominator == 1:
            value *= -1 if whole % 4 >= 2 else 1
            powers[name] = Fraction(whole % 2)
        elif name[0] == "r" and whole > 0:
            base = thawed(name[1])
            expanded = _times(expanded or {(): Fraction(1)}, whole_power(base.top, whole))
            powers[name] = exponent - whole
    product = tuple(sorted(((name, e) for name, e in powers.items() if e), key=repr))
    one = {product: value}
    return _times(one, expanded) if expanded else one


def whole_power(base: Sum, exponent: int) -> Sum:
    """Returns a sum multiplied with itself."""
    if exponent > 64 and len(base) > 1:
        raise TooLargeError("a power is too large")
    largest = max((max(v.numerator.bit_length(), v.denominator.bit_length()) for v in base.values()), default=1)
    if exponent * max(largest - 1, 1 if largest > 1 else 0) > _BITS:
        raise TooLargeError("a power is too large")
    if len(base) == 1:
        ((product, value),) = base.items()
        return joined(tuple((name, e * exponent) for name, e in product), (), value**exponent)
    total: Sum = {(): Fraction(1)}
    for _ in range(exponent):
        total = _times(total, base)
    return total


def add(a: Formula, b: Formula) -> Formula:
    """Returns the sum."""
    if a.bottom == b.bottom:
        return _reduced(_plus(a.top, b.top), a.bottom)
    return _reduced(_plus(_times(a.top, b.bottom), _times(b.top, a.bottom)), _times(a.bottom, b.bottom))


def multiply(a: Formula, b: Formula) -> Formula:
    """Returns the product."""
    return _reduced(_times(a.top, b.top), _times(a.bottom, b.bottom))


def negative(a: Formula) -> Formula:
    """Returns the formula with its sign changed."""
    return Formula({product: -value for product, value in a.top.items()}, a.bottom)


def divide(a: Formula, b: Formula) -> Formula:
    """Returns the quotient; a division by zero is unread."""
    if not b.top:
        raise UnreadError("division by zero")
    return _reduced(_times(a.top, b.bottom), _times(a.bottom, b.top))


def _reduced(top: Sum, bottom: Sum) -> Formula:
    """Returns a quotient whose denominator is 1 where it is one term, has only square roots, or divides evenly."""
    if not bottom:
        raise UnreadError("division by zero")
    if not top:
        return number(0)
    for _ in range(4):
        if len(bottom) == 1:
            break
        root = next(
            (a for p in bottom for a, e in p if a[0] in ("#", "i") and (a[0] == "i" or e == Fraction(1, 2))), None
        )
        if root is None:
            break
        other = {p: -v if any(a == root for a, _ in p) else v for p, v in bottom.items()}
        top, bottom = _times(top, other), _times(bottom, other)
        if not bottom:
            raise UnreadError("division by zero")
    if len(bottom) == 1:
        ((product, value),) = bottom.items()
        return Formula(_times(top, {tuple((a, -e) for a, e in product): 1 / value}), {(): Fraction(1)})
    evenly = divided(top, bottom)
    if evenly is not None:
        return Formula(evenly, {(): Fraction(1)})
    evenly = divided(bottom, top)
    if evenly is not None and len(top) > 1:
        return _reduced({(): Fraction(1)}, evenly)
    lead = bottom[max(bottom, key=repr)]
    return Formula({p: v / lead for p, v in top.items()}, {p: v / lead for p, v in bottom.items()})


def divided(top: Sum, bottom: Sum) -> Sum | None:
    """Returns the quotient of two sums where the division leaves nothing."""
    names = sorted({a for total in (top, bottom) for p in total for a, _ in p}, key=repr)

    def order(product: Product) -> tuple[Fraction, ...]:
        powers = dict(product)
        return tuple(powers.get(name, Fraction(0)) for name in names)

    lead = max(bottom, key=order)
    result: Sum = {}
    rest = top
    for _ in range(_TERMS):
        if not rest:
            return result
        head = max(rest, key=order)
        powers = dict(head)
        for name, e in lead:
            powers[name] = powers.get(name, Fraction(0)) - e
        if any(e < 0 for e in powers.values()) or any(a[0] not in ("x",) for a in powers):
            return None
        product = tuple(sorted(((a, e) for a, e in powers.items() if e), key=repr))
        step = {product: rest[head] / bottom[lead]}
        result = _plus(result, step)
        rest = _plus(rest, {p: -v for p, v in _times(step, bottom).items()})
    return None


def frozen(formula: Formula) -> Frozen:
    """Returns a formula as a value that can be a key."""
    top, bottom = (tuple(sorted(part.items(), key=repr)) for part in formula)
    return top, bottom


def thawed(parts: object) -> Formula:
    """Returns the formula of a key."""
    top, bottom = cast("Frozen", parts)
    return Formula(dict(top), dict(bottom))


def same(a: Formula, b: Formula) -> bool:
    """Says whether two formulas are identical once multiplied out."""
    return _times(a.top, b.bottom) == _times(b.top, a.bottom)


def atoms(formula: Formula) -> set[Atom]:
    """Returns the symbols of a formula, without those inside functions."""
    return {name for part in formula for product in part for name, _ in product}
