"""Reads equations, inequalities and names with their values.

Source: the answers of MATH (arXiv:2103.03874).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tasks.readers.values import algebra, numerics
from tasks.readers.values.algebra import Formula, UnreadError
from tasks.readers.values.kinds import Quantity, Relation, Spans, Value, key
from tasks.readers.values.quantities import quantity

_NAME = re.compile(
    r"(?:[A-Za-z]|\\[a-zA-Z]+ ?)(?:_(?:\w|\{\w+\}))?'*(?: ?\( ?[a-z](?: ?, ?[a-z])* ?\))?|[A-Z]{2,3}|\|[A-Z]{2}\|"
)
_SIGNS = {"\\le": "<=", "\\ge": ">=", "<=": "<=", ">=": ">=", "<": "<", ">": ">", "\\ne": "!=", "!=": "!="}
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def is_name(text: str) -> bool:
    """Says whether a text is the name of a variable or function."""
    return _NAME.fullmatch(text) is not None


def related(parts: list[str], depth: int, read: Callable[[str, int], Value]) -> Value:
    """Reads equations, inequalities, and names with their values (``x = 5``)."""
    sides, signs = parts[::2], [part.strip() for part in parts[1::2]]
    if set(signs) <= {"=", "\\approx"}:
        return _equated(sides, depth, read)
    if len(signs) == 2 and "=" not in signs:
        return _between(sides, signs)
    if len(signs) != 1 or signs[0] not in _SIGNS:
        raise UnreadError("a chain of signs is not understood")
    sign = _SIGNS[signs[0]]
    ends = [_end(side) for side in sides]
    for i in (0, 1):
        name, bound = ends[i], ends[1 - i]
        if sign != "!=" and _variable(name) and (isinstance(bound, str) or numerics.approximation(bound) is not None):
            below = (sign if i == 0 else _FLIPPED[sign])[0] == "<"
            closed = sign.endswith("=")
            end = bound if isinstance(bound, str) else key(Quantity(bound))
            one = ("-oo", end, False, closed) if below else (end, "oo", closed, False)
            return Spans(frozenset({one}))
    if isinstance(ends[0], str) or isinstance(ends[1], str):
        raise UnreadError("infinity in an inequality")
    difference = algebra.add(ends[0], algebra.negative(ends[1]))
    return Relation("<=" if ">=" in sign else "<" if sign == ">" else sign,
                    algebra.negative(difference) if sign[0] == ">" else difference)  # fmt: skip


def _end(text: str) -> Formula | str:
    infinite = re.fullmatch(r"([+-]?) ?\\infty", text)
    return ("-oo" if infinite[1] == "-" else "oo") if infinite else quantity(text).formula


def _variable(end: Formula | str) -> bool:
    if isinstance(end, str) or end.bottom != {(): 1} or len(end.top) != 1:
        return False
    ((product, factor),) = end.top.items()
    return (
        factor == 1
        and len(product) == 1
        and product[0][1] == 1
        and product[0][0][0] == "x"
        and product[0][0][1] not in ("pi", "e")
    )


def _between(sides: list[str], signs: list[str]) -> Spans:
    kinds = [_SIGNS.get(sign, "") for sign in signs]
    if any(kind[:1] not in ("<", ">") or kind[:1] != kinds[0][:1] for kind in kinds) or not _variable(_end(sides[1])):
        raise UnreadError("a chain of signs is not understood")
    ends = [end if isinstance(end, str) else key(Quantity(end)) for end in (_end(sides[0]), _end(sides[2]))]
    closed = [kind.endswith("=") for kind in kinds]
    if kinds[0][0] == ">":
        ends, closed = ends[::-1], closed[::-1]
    return Spans(frozenset({(ends[0], ends[1], closed[0], closed[1])}))


def _equated(sides: list[str], depth: int, read: Callable[[str, int], Value]) -> Value:
    if any(not side for side in sides):
        raise UnreadError("a side is empty")
    if len(sides) == 2 and _NAME.fullmatch(sides[1]) and not _NAME.fullmatch(sides[0]):
        sides = sides[::-1]
    name = None
    if _NAME.fullmatch(sides[0]):
        name, sides = re.sub(r"\s+", "", sides[0]), sides[1:]
    values = [read(side, depth + 1) for side in sides]
    if name is not None and len(values) == 1 and not isinstance(values[0], Quantity):
        return values[0]
    if not all(isinstance(value, Quantity) for value in values):
        raise UnreadError("an equation of what are no formulas")
    quantities = [value for value in values if isinstance(value, Quantity)]
    last = quantities[-1]
    identical = all(algebra.same(value.formula, last.formula) for value in quantities)
    if identical and (name is not None or algebra.constant(last.formula) is not None):
        return last._replace(name=name)
    if len(quantities) == 2 and name is None and not identical:
        if all(algebra.constant(value.formula) is not None for value in quantities):
            raise UnreadError("an equation between two numbers that differ")
        return Relation("=", algebra.add(quantities[0].formula, algebra.negative(last.formula)))
    raise UnreadError("a chain of equations is not understood")
