"""Exact arithmetic on short formulas: sums of products of powers over a second such sum, bounded in size.

Source: canonical rational forms, Geddes, Czapor, Labahn, "Algorithms for Computer Algebra" (1992), chapter 3.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import NamedTuple

Atom = tuple[object, ...]  # ("x", name), ("#", prime), ("i",), ("r", frozen base), ("f", name, *frozen arguments)
Product = tuple[tuple[Atom, Fraction], ...]
Sum = dict[Product, Fraction]
Frozen = tuple[tuple[tuple[Product, Fraction], ...], tuple[tuple[Product, Fraction], ...]]

_BITS = 14_000
_TERMS = 64
_SMALL_PRIMES = [n for n in range(2, 1000) if all(n % d for d in range(2, isqrt(n) + 1))]


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
            for product, value in _joined(left, right, x * y).items():
                total[product] = total.get(product, Fraction(0)) + value
    return _checked({product: value for product, value in total.items() if value})


def _joined(left: Product, right: Product, value: Fraction) -> Sum:
    """Returns the product of two products: powers of one atom meet; whole powers of primes, of i and of roots go."""
    powers: dict[Atom, Fraction] = dict(left)
    for name, exponent in right:
        powers[name] = powers.get(name, Fraction(0)) + exponent
    expanded: Sum = {}
    for name in [name for name in powers if name[0] in "#ir"]:
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
            expanded = _times(expanded or {(): Fraction(1)}, _power(base.top, whole))
            powers[name] = exponent - whole
    product = tuple(sorted(((name, e) for name, e in powers.items() if e), key=repr))
    one = {product: value}
    return _times(one, expanded) if expanded else one


def _power(base: Sum, exponent: int) -> Sum:
    if exponent > 64 and len(base) > 1:
        raise TooLargeError("a power is too large")
    largest = max((max(v.numerator.bit_length(), v.denominator.bit_length()) for v in base.values()), default=1)
    if exponent * max(largest - 1, 1 if largest > 1 else 0) > _BITS:
        raise TooLargeError("a power is too large")
    if len(base) == 1:
        ((product, value),) = base.items()
        return _joined(tuple((name, e * exponent) for name, e in product), (), value**exponent)
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
        root = next((a for p in bottom for a, e in p if a[0] in "#i" and (a[0] == "i" or e == Fraction(1, 2))), None)
        if root is None:
            break
        other = {p: -v if any(a == root for a, _ in p) else v for p, v in bottom.items()}
        top, bottom = _times(top, other), _times(bottom, other)
        if not bottom:
            raise UnreadError("division by zero")
    if len(bottom) == 1:
        ((product, value),) = bottom.items()
        return Formula(_times(top, {tuple((a, -e) for a, e in product): 1 / value}), {(): Fraction(1)})
    evenly = _divided(top, bottom)
    if evenly is not None:
        return Formula(evenly, {(): Fraction(1)})
    evenly = _divided(bottom, top)
    if evenly is not None and len(top) > 1:
        return _reduced({(): Fraction(1)}, evenly)
    lead = bottom[max(bottom, key=repr)]
    return Formula({p: v / lead for p, v in top.items()}, {p: v / lead for p, v in bottom.items()})


def _divided(top: Sum, bottom: Sum) -> Sum | None:
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


def power(base: Formula, exponent: Formula) -> Formula:
    """Returns a power; of a sum only whole powers are multiplied out, roots of sums stay symbols."""
    fixed = constant(exponent)
    if fixed is None:
        return _symbolic(base, exponent)
    if fixed.denominator == 1:
        if fixed >= 0:
            return Formula(_power(base.top, int(fixed)), _power(base.bottom, int(fixed))) if fixed else number(1)
        return power(divide(number(1), base), number(-fixed))
    if fixed.denominator > 64 or abs(fixed.numerator) > 64:
        raise TooLargeError("a root is too high")
    return divide(_root(base.top, fixed), _root(base.bottom, fixed))


def _root(base: Sum, exponent: Fraction) -> Formula:
    """Returns a rational power of a sum: factors of a single term, or the sum as a symbol."""
    if not base:
        return number(0)
    if len(base) != 1:
        return _held(("r", frozen(Formula(base, {(): Fraction(1)}))), exponent)
    ((product, value),) = base.items()
    result = _primes(abs(value.numerator), exponent)
    result = divide(result, _primes(value.denominator, exponent))
    if value < 0:
        if exponent.denominator == 2:
            result = multiply(result, power(IMAGINARY, number(exponent.numerator)))
        elif exponent.denominator % 2 and exponent.numerator % 2:
            result = negative(result)  # the real root, as school books write it
        elif exponent.denominator % 2 == 0:
            raise UnreadError("an even root of a negative number")
    for name, e in product:
        even = name[0] == "x" and e.denominator == 1 and e.numerator % 2 == 0 and exponent.denominator % 2 == 0
        if even:  # the root of a square is no plain variable
            square = frozen(Formula({((name, e),): Fraction(1)}, {(): Fraction(1)}))
            result = multiply(result, _held(("r", square), exponent))
        else:
            result = multiply(result, _held(name, e * exponent))
    return result


def _held(name: Atom, exponent: Fraction) -> Formula:
    return Formula(_joined(((name, exponent),), (), Fraction(1)), {(): Fraction(1)})


def _primes(value: int, exponent: Fraction) -> Formula:
    """Returns a rational power of a whole number as a product over its prime factors."""
    factors: dict[int, int] = {}
    for prime in _SMALL_PRIMES:
        while value % prime == 0:
            value //= prime
            factors[prime] = factors.get(prime, 0) + 1
    if value > 1:
        square = isqrt(value)
        base, times = (square, 2) if square * square == value else (value, 1)
        factors[base] = factors.get(base, 0) + times
    result = number(1)
    for prime, times in factors.items():
        result = multiply(result, _held(("#", prime), times * exponent))
    return result


def _symbolic(base: Formula, exponent: Formula) -> Formula:
    """Returns a power whose exponent holds symbols: each term of the exponent makes a symbol of its own."""
    fixed = constant(base)
    if exponent.bottom != {(): 1} or fixed is not None and fixed <= 0:
        return atom("f", "power", frozen(base), frozen(exponent))
    result = number(1)
    for product, value in exponent.top.items():
        if not product:
            result = multiply(result, power(base, number(value)))
            continue
        term = frozen(Formula({product: Fraction(1)}, {(): Fraction(1)}))
        factors = [(base, 1)] if fixed is None else _whole_factors(fixed)
        for factor, times in factors:
            result = multiply(result, _held(("f", "power", frozen(factor), term), value * times))
    return result


def _whole_factors(value: Fraction) -> list[tuple[Formula, int]]:
    result = []
    for whole, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime in _SMALL_PRIMES:
            times = 0
            while whole % prime == 0:
                whole //= prime
                times += 1
            if times:
                result.append((number(prime), times * sign))
        if whole > 1:
            result.append((number(whole), sign))
    return result


def frozen(formula: Formula) -> Frozen:
    """Returns a formula as a value that can be a key."""
    top, bottom = (tuple(sorted(part.items(), key=repr)) for part in formula)
    return top, bottom


def thawed(parts: object) -> Formula:
    """Returns the formula of a key."""
    top, bottom = parts  # type: ignore[misc]
    return Formula(dict(top), dict(bottom))


def same(a: Formula, b: Formula) -> bool:
    """Says whether two formulas are identical once multiplied out."""
    return _times(a.top, b.bottom) == _times(b.top, a.bottom)


def atoms(formula: Formula) -> set[Atom]:
    """Returns the symbols of a formula, without those inside functions."""
    return {name for part in formula for product in part for name, _ in product}
