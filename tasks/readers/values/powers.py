"""Powers and roots of formulas: roots of whole numbers by their prime factors, powers with symbols in the exponent.

Source: prime factorization of radicals, Geddes, Czapor, Labahn, "Algorithms for Computer Algebra" (1992), chapter 3.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from tasks.readers.values.algebra import (
    IMAGINARY,
    Atom,
    Formula,
    Sum,
    TooLargeError,
    UnreadError,
    atom,
    constant,
    divide,
    frozen,
    joined,
    multiply,
    negative,
    number,
    whole_power,
)

_SMALL_PRIMES = [n for n in range(2, 1000) if all(n % d for d in range(2, isqrt(n) + 1))]


def power(base: Formula, exponent: Formula) -> Formula:
    """Returns a power; of a sum only whole powers are multiplied out, roots of sums stay symbols."""
    fixed = constant(exponent)
    if fixed is None:
        return _symbolic(base, exponent)
    if fixed.denominator == 1:
        if fixed >= 0:
            return (
                Formula(whole_power(base.top, int(fixed)), whole_power(base.bottom, int(fixed))) if fixed else number(1)
            )
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
    return Formula(joined(((name, exponent),), (), Fraction(1)), {(): Fraction(1)})


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
    if exponent.bottom != {(): 1} or (fixed is not None and fixed <= 0):
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
