"""Says whether two answers that were understood are equal.

Source: exact comparison of the kinds in `kinds`; percent signs and units as the graders of MATH (arXiv:2103.03874) do.
"""

from __future__ import annotations

from fractions import Fraction

from tasks.readers.values import algebra
from tasks.readers.values.kinds import (
    Based,
    Clock,
    Day,
    Grid,
    Group,
    Infinite,
    Option,
    Quantity,
    Ratio,
    Relation,
    Spans,
    Words,
    key,
    span,
)
from tasks.readers.values.measures import quantities
from tasks.readers.values.words import compare_words


def equal(a: object, b: object) -> bool | None:
    """Says whether an answer equals a reference; null where that stays open."""
    if isinstance(a, Option) or isinstance(b, Option):
        return _options(a, b)
    if isinstance(a, Group) and len(a.items) == 1 and a.brackets in ("", "⦃⦄") and not isinstance(b, Group):
        return equal(a.items[0], b)
    if isinstance(b, Group) and len(b.items) == 1 and b.brackets in ("", "⦃⦄") and not isinstance(a, Group):
        return equal(a, b.items[0])
    if type(a) is type(b):
        return _alike(a, b)
    return _unlike(a, b)


def _options(a: object, b: object) -> bool | None:
    if isinstance(a, Option) and isinstance(b, Option):
        return a.letter == b.letter
    option, other = (a, b) if isinstance(a, Option) else (b, a)
    assert isinstance(option, Option)
    return equal(option.text, other) or None if option.text is not None else None


def _alike(a: object, b: object) -> bool | None:
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return quantities(a, b)
    if isinstance(a, Relation) and isinstance(b, Relation):
        return _relations(a, b)
    if isinstance(a, Group) and isinstance(b, Group):
        return _groups(a, b)
    if isinstance(a, Grid) and isinstance(b, Grid):
        return _grids(a, b)
    if isinstance(a, Words) and isinstance(b, Words):
        return compare_words(a, b)
    if isinstance(a, Ratio) and isinstance(b, Ratio):
        return key(a) == key(b)
    if isinstance(a, Clock) and isinstance(b, Clock):
        if a.half == b.half:
            return a.seconds == b.seconds
        return a.seconds % 43200 == b.seconds % 43200
    if isinstance(a, Day) and isinstance(b, Day):
        return (a.month, a.day) == (b.month, b.day) and (a.year == b.year or None in (a.year, b.year))
    if isinstance(a, Based) and isinstance(b, Based):
        if a.base == b.base:
            return a.digits == b.digits
        return None if int(a.digits, a.base) == int(b.digits, b.base) else False
    if isinstance(a, Spans) and isinstance(b, Spans):
        return True if a == b else _spans(a, b)
    return a == b  # infinities


def _unlike(a: object, b: object) -> bool | None:
    """Compares answers of two kinds: different unless one kind may be written as the other."""
    pair = {type(a), type(b)}
    if Words in pair or Clock in pair or Day in pair:
        return None
    if Spans in pair:
        other = b if isinstance(a, Spans) else a
        spans = span(other)
        if spans is not None:
            return _alike(a if isinstance(a, Spans) else spans, b if isinstance(b, Spans) else spans)
        return False if isinstance(other, Quantity) and other.unit is None and other.name is None else None
    if pair == {Quantity, Relation}:
        named, relation = (a, b) if isinstance(a, Quantity) else (b, a)
        assert isinstance(named, Quantity)
        assert isinstance(relation, Relation)
        if named.name is not None and len(named.name) == 1:
            difference = algebra.add(algebra.atom("x", named.name), algebra.negative(named.formula))
            return _relations(Relation("=", difference), relation)
        return False if named is a and relation.sign == "=" else None
    if pair == {Quantity, Group}:
        quantity, group = (a, b) if isinstance(a, Quantity) else (b, a)
        assert isinstance(group, Group)
        if any(equal(item, quantity) is not False for item in group.items if _named(item) or not _plain(item)):
            return None
        return None if len(group.items) == 1 else False
    if pair == {Quantity, Based}:
        quantity, based = (a, b) if isinstance(a, Quantity) else (b, a)
        assert isinstance(quantity, Quantity)
        assert isinstance(based, Based)
        value = algebra.constant(quantity.formula)
        written = int(based.digits) if based.digits.isdigit() else None
        return None if value is None or value in (int(based.digits, based.base), written) else False
    if pair == {Quantity, Ratio}:
        quantity, ratio = (a, b) if isinstance(a, Quantity) else (b, a)
        assert isinstance(quantity, Quantity)
        assert isinstance(ratio, Ratio)
        value = algebra.constant(quantity.formula)
        return None if value is None or len(ratio.parts) != 2 or value * ratio.parts[1] == ratio.parts[0] else False
    if pair == {Quantity, Infinite}:
        return False
    if pair == {Grid, Group}:
        return _grid_or_group(a, b)
    return None


def _plain(item: object) -> bool:
    return isinstance(item, Quantity | Infinite | Spans)


def _named(item: object) -> bool:
    return isinstance(item, Quantity) and item.name is not None


def _relations(a: Relation, b: Relation) -> bool | None:
    if a.sign != b.sign:
        return False
    x, y = a.difference.top, b.difference.top
    if not x or not y:
        return None
    lead = max(x, key=repr)
    if lead in y and set(x) == set(y):
        scale = y[lead] / x[lead]
        if all(x[product] * scale == y[product] for product in x) and (scale > 0 or a.sign in ("=", "!=")):
            return True
    plain = all(name[0] == "x" for side in (x, y) for product in side for name, _ in product)
    linear = all(sum(e for _, e in product) <= 1 for side in (x, y) for product in side)
    if plain and linear:
        return False
    if not plain or algebra.divided(x, y) is not None or algebra.divided(y, x) is not None:
        return None
    return False


def _groups(a: Group, b: Group) -> bool | None:
    if a.ordered and b.ordered:
        return _ordered(a, b)
    if a.ordered or b.ordered:
        if len(a.items) == len(b.items) and _row(a.items, b.items) is True and "" in (a.brackets, b.brackets):
            return True
        return None if _unordered(a.items, b.items) is not False else False
    result = _unordered(a.items, b.items)
    if result is False and len(a.items) != len(b.items) and {key(x) for x in a.items} == {key(x) for x in b.items}:
        return True if "⦃⦄" in (a.brackets, b.brackets) else None
    return result


def _ordered(a: Group, b: Group) -> bool | None:
    if len(a.items) != len(b.items):
        return False
    same = _row(a.items, b.items)
    if same is True and a.brackets != b.brackets:
        return False if span(a) and span(b) and {a.brackets, b.brackets} != {"()", "[]"} else None
    return same


def _row(a: tuple[object, ...], b: tuple[object, ...]) -> bool | None:
    results = [equal(x, y) for x, y in zip(a, b, strict=True)]
    return False if False in results else None if None in results else True


def _unordered(a: tuple[object, ...], b: tuple[object, ...]) -> bool | None:
    if len(a) != len(b) or len(a) > 40:
        return False if len(a) <= 40 and len(b) <= 40 else None
    left = list(a)
    open_ = False
    for item in b:
        results = [equal(other, item) for other in left]
        if True in results:
            left.pop(results.index(True))
        elif None in results:
            open_ = True
        else:
            return False
    return None if open_ else True


def _grids(a: Grid, b: Grid) -> bool | None:
    if [len(row) for row in a.rows] != [len(row) for row in b.rows]:
        flat = [[item for row in side.rows for item in row] for side in (a, b)]
        vectors = all(len(side.rows) == 1 or all(len(row) == 1 for row in side.rows) for side in (a, b))
        return None if vectors and len(flat[0]) == len(flat[1]) else False
    results = [_row(x, y) for x, y in zip(a.rows, b.rows, strict=True)]
    return False if False in results else None if None in results else True


def _grid_or_group(a: object, b: object) -> bool | None:
    """Compares a matrix with nested lists, and a column with a point."""
    grid, group = (a, b) if isinstance(a, Grid) else (b, a)
    assert isinstance(grid, Grid)
    assert isinstance(group, Group)
    if all(isinstance(item, Group) for item in group.items) and group.items:
        return _grids(grid, Grid(tuple(item.items for item in group.items if isinstance(item, Group))))
    if group.ordered and all(len(row) == 1 for row in grid.rows):
        flat = tuple(row[0] for row in grid.rows)
        return _row(flat, group.items) if len(flat) == len(group.items) else False
    return None


def _spans(a: Spans, b: Spans) -> bool | None:
    """Intervals whose ends are rational numbers or infinite are told apart by them; others may be spelled otherwise."""
    ends = [end for side in (a, b) for one in side.spans for end in one[:2]]
    return False if all(_is_rational(end) for end in ends) and len(a.spans) == len(b.spans) else None


def _is_rational(end: str) -> bool:
    try:
        return end in ("oo", "-oo") or Fraction(end) is not None
    except ValueError:
        return False
