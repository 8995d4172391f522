"""Reads a small PostgreSQL dump as SQLite statements.

Source: the dumps of Defog's sql-eval; types and date functions as in the PostgreSQL manual, chapters 8 and 9.9.

Date expressions in the rows (``CURRENT_DATE - INTERVAL '5 months'``) become the text they mean at one fixed moment, so
that the same question has the same answer on any day.
"""

from __future__ import annotations

import calendar
import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_INTEGERS = {"INT", "BIGINT", "SMALLINT", "SERIAL", "BIGSERIAL", "SMALLSERIAL", "BOOLEAN", "TINYINT"}
_REALS = {"FLOAT", "DOUBLE", "DECIMAL", "REAL", "UDECIMAL"}
_SECONDS = {"SECOND": 1, "SEC": 1, "MINUTE": 60, "MIN": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}
_SPANS = {"YEAR": 12, "MONTH": 1, "QUARTER": 3}
_TRUNCATED = {"YEAR": {"month": 1, "day": 1}, "MONTH": {"day": 1}, "DAY": {}, "WEEK": {}}


@lru_cache(maxsize=64)
def sqlite_setup(dump: str, now: str) -> str:
    """Returns SQLite statements that build the dump's tables and rows.

    Args:
        now: the moment that ``NOW()`` means (``2024-07-10 12:00:00``).

    Raises:
        ValueError: a statement that makes no table and fills none, or an expression that is not understood.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    moment = datetime.datetime.fromisoformat(now)
    try:
        statements = sqlglot.parse(dump, read="postgres")
    except SqlglotError as error:
        raise ValueError(f"the dump cannot be read: {error}") from error
    out = []
    kinds: dict[str, dict[str, str]] = {}
    for statement in statements:
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            name, kinds[name] = _table(statement)
            columns = ", ".join(f"{_quoted(column)} {_affinity(kind)}" for column, kind in kinds[name].items())
            out.append(f"CREATE TABLE {_quoted(name)} ({columns})")
        elif isinstance(statement, exp.Insert):
            out.append(_rows(statement, moment, kinds))
        elif statement is not None and not (isinstance(statement, exp.Create) and statement.kind == "SCHEMA"):
            raise ValueError(f"the dump has a statement that makes no table: {statement.sql('postgres')[:80]}")
    return ";\n".join(out) + ";"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _affinity(kind: str) -> str:
    return "INTEGER" if kind in _INTEGERS else "REAL" if kind in _REALS else "TEXT"


def _table(statement: exp.Create) -> tuple[str, dict[str, str]]:
    """Returns a table's name, and its columns with their PostgreSQL types."""
    from sqlglot import exp

    table = statement.find(exp.Table)
    assert table is not None
    columns = {
        column.name: column.kind.this.name if column.kind else "TEXT" for column in statement.find_all(exp.ColumnDef)
    }
    return table.name, columns


def _rows(statement: exp.Insert, now: datetime.datetime, kinds: dict[str, dict[str, str]]) -> str:
    from sqlglot import exp

    table = statement.find(exp.Table)
    assert table is not None
    known = kinds[table.name]
    target = statement.this
    names = [column.name for column in target.expressions] if isinstance(target, exp.Schema) else list(known)
    rows = []
    for row in statement.expression.expressions:
        cells = [_typed(_value(cell, now), known[name]) for name, cell in zip(names, row.expressions, strict=True)]
        rows.append(f"({', '.join(_literal(cell) for cell in cells)})")
    return f"INSERT INTO {_quoted(table.name)} ({', '.join(map(_quoted, names))}) VALUES {', '.join(rows)}"


def _typed(value: Any, kind: str) -> Any:
    """Returns a date as its column holds it: a moment in a date column is its day."""
    if isinstance(value, datetime.datetime) and kind == "DATE":
        return value.date()
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) and "TIMESTAMP" in kind:
        return datetime.datetime.combine(value, datetime.time())
    return value


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime.datetime):
        value = value.strftime("%Y-%m-%d %H:%M:%S")
    return "'" + str(value).replace("'", "''") + "'"


def _value(node: Any, now: datetime.datetime) -> Any:
    """Returns the value of a constant expression.

    Raises:
        ValueError: one of a kind that dumps were not seen to hold.
    """
    from sqlglot import exp

    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else float(node.this) if "." in node.this else int(node.this)
    if isinstance(node, exp.Paren | exp.Cast):
        return _value(node.this, now)
    if isinstance(node, exp.Neg):
        return -_value(node.this, now)
    if isinstance(node, exp.Mul):
        return _value(node.this, now) * _value(node.expression, now)
    if isinstance(node, exp.Add | exp.Sub) and not isinstance(node.expression, exp.Interval):
        sign = 1 if isinstance(node, exp.Add) else -1
        return _value(node.this, now) + sign * _value(node.expression, now)
    return _moment(node, now)


def _moment(node: Any, now: datetime.datetime) -> Any:
    from sqlglot import exp

    if isinstance(node, exp.CurrentDate):
        return now.date()
    if isinstance(node, exp.CurrentTimestamp):
        return now
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        return _shifted(_value(node.this, now), node.expression, 1 if isinstance(node, exp.Add) else -1)
    if isinstance(node, exp.TimestampTrunc):
        return _cut(_value(node.this, now), str(node.args["unit"].name).upper())
    if isinstance(node, exp.TimeToStr):
        return _value(node.this, now).strftime(node.args["format"].name.replace("%i", "%M").replace("HH24", "%H"))
    if isinstance(node, exp.Extract):
        moment = _value(node.expression, now)
        part = str(node.name).upper()
        if part == "EPOCH":
            return int(moment.replace(tzinfo=datetime.UTC).timestamp())
        return getattr(moment, part.lower())
    raise ValueError(f"the dump has an expression that is not understood: {node.sql('postgres')[:80]}")


def _shifted(moment: Any, interval: exp.Interval, sign: int) -> Any:
    unit, number = interval.args.get("unit"), interval.args["this"]
    name = unit.name.upper().rstrip("S") if unit is not None else "DAY"
    count = sign * int(number.name)
    if name in _SECONDS:
        return moment + datetime.timedelta(seconds=count * _SECONDS[name])
    if name not in _SPANS:
        raise ValueError(f"the dump has an interval of {name}")
    month = moment.year * 12 + moment.month - 1 + count * _SPANS[name]
    year, month = divmod(month, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def _cut(moment: Any, unit: str) -> Any:
    if isinstance(moment, datetime.datetime):
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    else:
        moment = datetime.datetime.combine(moment, datetime.time())
    if unit not in _TRUNCATED:
        raise ValueError(f"the dump cuts a date to its {unit}")
    return moment - datetime.timedelta(days=moment.weekday()) if unit == "WEEK" else moment.replace(**_TRUNCATED[unit])
