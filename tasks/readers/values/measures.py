"""Says whether two quantities are equal: their formulas, percent signs and units.

Source: percent signs and missing units as the graders of MATH (arXiv:2103.03874) take them.
"""

from __future__ import annotations

from fractions import Fraction
from math import log10

from tasks.readers.values import algebra, numerics, units
from tasks.readers.values.algebra import Formula
from tasks.readers.values.formulas import DEGREE
from tasks.readers.values.kinds import Quantity


def formulas(a: Formula, b: Formula) -> bool | None:
    """Says whether two formulas are equal; null where only their values near each other are known."""
    if algebra.same(a, b):
        return True
    return False if numerics.differ(a, b) else None


def quantities(a: Quantity, b: Quantity) -> bool | None:
    """Says whether two quantities are equal; null where that stays open."""
    same = formulas(a.formula, b.formula)
    if a.name is not None and b.name is not None and a.name != b.name and same:
        return None
    if a.percent != b.percent and same is False and not (a.unit or b.unit):
        plain, percent = (a.formula, b.formula) if b.percent else (b.formula, a.formula)
        same = formulas(plain, algebra.divide(percent, algebra.number(100)))
    elif a.unit is not None and b.unit is not None:
        same = _measured(a, b, same)
    elif same is False and (a.unit or b.unit):
        same = _one_unit(*((a, b) if a.unit else (b, a)))
    if same is False and (rounded(a.formula, b.formula) or rounded(b.formula, a.formula)):
        return None
    return same


def _measured(a: Quantity, b: Quantity, same: bool | None) -> bool | None:
    one, two = a.unit, b.unit
    assert one is not None
    assert two is not None
    if units.is_noun(one) or units.is_noun(two):
        if one.powers != two.powers and same and not (units.is_noun(one) and units.is_noun(two) and _common(one, two)):
            return None
        return same
    if one.powers != two.powers:
        if {one.powers, two.powers} == {(("angle", 1),), (("radian", 1),)}:
            degrees, radians = (a, b) if one.powers == (("angle", 1),) else (b, a)
            return formulas(algebra.multiply(degrees.formula, DEGREE), radians.formula)
        return False if one.clear and two.clear else None
    if one.factor == two.factor:
        return same
    scaled = [algebra.multiply(side.formula, algebra.number(unit.factor)) for side, unit in ((a, one), (b, two))]
    result = formulas(*scaled)
    values = [numerics.approximation(side) for side in scaled]
    if result is False and one.powers == (("time", 1),) and max(one.factor, two.factor) > 10**6:
        near = None not in values and abs(values[0] - values[1]) < 0.1 * abs(values[1])  # type: ignore[operator,arg-type]
        return None if near else False  # months and years have no fixed length
    return result


def _common(one: units.Unit, two: units.Unit) -> bool:
    words = [set(item.powers[0][0].split()[1:]) for item in (one, two)]
    return not words[0].isdisjoint(words[1])


def _one_unit(measured: Quantity, plain: Quantity) -> bool | None:
    """Compares a measured number with a plain one of another size: the plain one may be meant in another unit."""
    unit = measured.unit
    assert unit is not None
    if unit.powers == (("angle", 1),):
        radians = algebra.multiply(measured.formula, DEGREE)
        return formulas(radians, plain.formula)
    for factor in units.factors(unit.powers):
        scaled = algebra.multiply(measured.formula, algebra.number(unit.factor / factor))
        if algebra.same(scaled, plain.formula):
            return None
    return False


def rounded(decimal: Formula, exact: Formula) -> bool:
    """Says whether a decimal is the other value rounded, which has no end as a decimal."""
    value = algebra.constant(decimal)
    if value is None or _places(value) in (None, 0):
        return False
    other = algebra.constant(exact)
    if other is not None and _places(other) is not None:
        return False
    about = numerics.approximation(exact)
    places = _places(value) or 0
    return (
        about is not None
        and abs(about - float(value)) <= 0.501 * 10.0**-places
        and (about == 0 or log10(abs(about)) > -places)
    )


def _places(value: Fraction) -> int | None:
    """Returns how many decimals a fraction has; null where they have no end."""
    rest = value.denominator
    counts = []
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest //= prime
            count += 1
        counts.append(count)
    return max(counts) if rest == 1 else None
