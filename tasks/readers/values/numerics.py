"""Approximate values of formulas, by which two of them can be told apart, never be found equal.

Source: Schwartz (1980) and Zippel (1979): formulas that differ at a point are different.
"""

from __future__ import annotations

import cmath
import math
from fractions import Fraction
from typing import Any
from zlib import crc32

from tasks.readers.values import algebra
from tasks.readers.values.algebra import Atom, Formula

_PLAIN = ("x", "#", "i")
_REAL: dict[str, Any] = {"abs": abs, "Re": lambda z: z.real, "Im": lambda z: z.imag}
_COMPLEX: dict[str, Any] = {
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan, "ln": cmath.log,
    "cot": lambda z: 1 / cmath.tan(z), "sec": lambda z: 1 / cmath.cos(z), "csc": lambda z: 1 / cmath.sin(z),
}  # fmt: skip
_FAULTS = (ArithmeticError, ValueError, KeyError, TypeError, RecursionError)


def differ(a: Formula, b: Formula) -> bool | None:
    """Says whether two formulas that are not identical are different; null where that stays open.

    Square roots of different primes, i, pi, e and variables are independent of each other, so that sums of their
    products are different when they are written differently. With roots of sums and functions the values decide.
    """
    symbols = algebra.atoms(a) | algebra.atoms(b)
    if all(symbol[0] in _PLAIN and not _composite(symbol) for symbol in symbols):
        return True
    for point in range(2):
        try:
            one, two, scale = *(values := [_value(formula, point) for formula in (a, b)]), 1.0
            scale = max(value[1] for value in values)
            if abs(one[0] - two[0]) > 1e-7 * max(scale, 1e-300):
                return True
        except _FAULTS:
            continue
    return None


def approximation(formula: Formula) -> float | None:
    """Returns the real number a formula without variables is about; null when it is none."""
    try:
        if any(name[0] == "x" and name[1] not in ("pi", "e") for name in algebra.atoms(formula)):
            return None
        value, _ = _value(formula, 0)
    except _FAULTS:
        return None
    return value.real if abs(value.imag) <= 1e-9 * abs(value) and math.isfinite(value.real) else None


def _composite(symbol: Atom) -> bool:
    return symbol[0] == "#" and int(str(symbol[1])) >= 994_009  # no prime factor below 997: may still be composite


def _value(formula: Formula, point: int) -> tuple[complex, float]:
    """Returns a formula's value where its variables are some fixed numbers, and the largest term that went into it."""
    parts = []
    largest = 0.0
    for part in formula:
        total = 0j
        most = 0.0
        for product, factor in part.items():
            value = complex(float(factor))
            for name, exponent in product:
                value *= _symbol(name, point) ** _exponent(exponent)
            total += value
            most = max(most, abs(value))
        parts.append(total)
        largest = max(largest, most / abs(total) if total else math.inf)
    value = parts[0] / parts[1]
    return value, abs(value) * largest if largest < math.inf else math.inf


def _exponent(exponent: Fraction) -> float | int:
    return int(exponent) if exponent.denominator == 1 else float(exponent)


def _symbol(name: Atom, point: int) -> complex:
    kind = name[0]
    if kind == "#":
        return complex(float(int(str(name[1]))))
    if kind == "i":
        return 1j
    if kind == "x":
        fixed = {"pi": math.pi, "e": math.e}.get(str(name[1]))
        seed = crc32(str(name[1]).encode()) / 2**32
        return complex(fixed or (0.21 + 0.6 * seed if point == 0 else 1.3 + 2 * seed))
    if kind == "r":
        return _value(algebra.thawed(name[1]), point)[0]
    arguments = [_value(algebra.thawed(argument), point)[0] for argument in name[2:]]
    function = str(name[1])
    if function == "power":
        return arguments[0] ** arguments[1]
    if function == "log":
        return cmath.log(arguments[0]) / cmath.log(arguments[1] if len(arguments) > 1 else 10)
    if function in _REAL:
        return complex(_REAL[function](arguments[0]))
    return complex(_COMPLEX[function](arguments[0]))
