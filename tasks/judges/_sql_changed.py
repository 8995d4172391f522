"""Fills a copy of a SQLite database with changed rows, so that what was right by accident is wrong there.

Source: test suites of databases, Semantic Evaluation for Text-to-SQL with Distilled Test Suites (arXiv:2010.02840).

Runs inside the sandbox, beside ``_sql_box``; standard library only. The same seed makes the same rows. Keys keep their
values, and rows are added with keys of their own; other cells are dealt out anew, some of them with values that the
column did not hold. A column without duplicates or without nulls stays without.
"""

from __future__ import annotations

import contextlib
import datetime
import random
import re
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_ROWS = 2000
_KEY = re.compile(r"(?:^|_)(?:id|key|code|uuid|guid|sku|ticker|symbol|pk|fk|number|no)s?$|id$", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?")
_TEXTS = re.compile(r"'((?:[^']|'')*)'")
_WORDS = re.compile(r"^[^%]*\w[^%]*$")
_NUMBERS = re.compile(r"(?<![\w.'-])\d+(?:\.\d+)?(?![\w.'])")


class Column(NamedTuple):
    """A column as it is dealt out: its name, whether it is a key, and the values it holds."""

    name: str
    key: bool
    held: list[Any]

    @property
    def unique(self) -> bool:
        """Whether no two rows hold the same value, and none holds null."""
        return None not in self.held and len(set(self.held)) == len(self.held)


def literals(query: str) -> list[Any]:
    """Returns the values that a query compares with, and for numbers those next to them.

    >>> literals("SELECT * FROM t WHERE a > 4 AND b = 'it''s'")
    ["it's", 4, 5, 3]
    """
    texts: list[Any] = [text.replace("''", "'") for text in _TEXTS.findall(query) if _WORDS.search(text)]
    for text in _NUMBERS.findall(_TEXTS.sub("", query)):
        number = float(text) if "." in text else int(text)
        texts += [number, number + 1, number - 1]
    return texts


def change(connection: sqlite3.Connection, seed: int, wanted: Sequence[Any]) -> None:
    """Replaces the rows of every table by changed ones.

    Args:
        wanted: values that conditions name; some rows get them, so that conditions hold for some rows and not for all.
    """
    tables = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]  # fmt: skip
    for table in tables:
        with contextlib.suppress(
            sqlite3.Error, ValueError, TypeError, OverflowError
        ):  # a table that takes no such rows stays as it is
            _change(connection, table, random.Random(f"{seed} {table}"), wanted)


def _change(connection: sqlite3.Connection, table: str, coin: random.Random, wanted: Sequence[Any]) -> None:
    quoted = _quoted(table)
    fields = [row for row in connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall() if row[6] == 0]
    names = ", ".join(_quoted(row[1]) for row in fields)
    rows = connection.execute(f"SELECT {names} FROM {quoted}").fetchall()
    if not rows or len(rows) > MOST_ROWS:
        return
    keys = {row[3] for row in connection.execute(f"PRAGMA foreign_key_list({quoted})").fetchall()}
    columns = [
        Column(row[1], bool(row[5]) or row[1] in keys or _KEY.search(row[1]) is not None, [cells[i] for cells in rows])
        for i, row in enumerate(fields)
    ]
    added = max(2, len(rows) // 3)
    made = list(zip(*(_dealt(column, added, coin, wanted) for column in columns), strict=True))
    insert = f"INSERT INTO {quoted} ({names}) VALUES ({', '.join('?' * len(fields))})"
    connection.execute("BEGIN")
    try:
        connection.execute(f"DELETE FROM {quoted}")
        for place, cells in enumerate(made):
            try:
                connection.execute(insert, cells)
            except sqlite3.IntegrityError:
                if place < len(rows):
                    connection.execute(insert, rows[place])
    except (sqlite3.Error, OverflowError):
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _dealt(column: Column, added: int, coin: random.Random, wanted: Sequence[Any]) -> list[Any]:
    """Returns a column's changed cells, those of added rows last."""
    if column.key and column.unique:
        return [*column.held, *_new(column.held, added, coin)]
    if column.key:
        return [*column.held, *(coin.choice(column.held) for _ in range(added))]
    forms = {_form(value) for value in column.held if value is not None}
    given = [float(value) if type(value) is int and forms == {(float, False)} else value for value in wanted]
    known = [value for value in given if _form(value) in forms]
    if column.unique and len(column.held) > 2:
        fresh = [value for value in dict.fromkeys(known) if value not in column.held]
        cells = [*column.held, *[*fresh, *_new([*column.held, *fresh], added, coin)][:added]]
        coin.shuffle(cells)
        return cells
    if all(value in (0, 1, None) for value in column.held):
        known = [0, 1] if forms == {(int, False)} else []
    return [_cell(column.held, known, coin) for _ in range(len(column.held) + added)]


def _form(value: Any) -> tuple[type, bool]:
    """Returns the type of a value, and whether it is a date."""
    return type(value), isinstance(value, str) and _DATE.fullmatch(value) is not None


def _cell(held: Sequence[Any], known: Sequence[Any], coin: random.Random) -> Any:
    draw = coin.random()
    if known and draw < 0.25:
        return coin.choice(known)
    value = coin.choice(held)
    if draw > 0.7 and not all(each in (0, 1, None) for each in held):
        return _other(value, coin)
    return value


def _other(value: Any, coin: random.Random) -> Any:
    """Returns another value of the same type and form."""
    if isinstance(value, int):
        return value + coin.choice((1, 2, 3, 7)) if value >= 0 else value - coin.choice((1, 2, 3, 7))
    if isinstance(value, float):
        return round(value * coin.choice((0.5, 1.25, 1.5, 2.0)) + coin.choice((0.25, 1.0)), 4)
    if isinstance(value, str) and _DATE.fullmatch(value):
        with contextlib.suppress(ValueError, OverflowError):
            moment = datetime.datetime.fromisoformat(value)
            moment += datetime.timedelta(days=coin.choice((-400, -90, -31, -7, -1, 1, 7, 45)))
            return moment.isoformat(sep=" ") if len(value) > 10 else moment.date().isoformat()
    return f"{value} {coin.choice('BCDEF')}" if isinstance(value, str) else value


def _new(held: Sequence[Any], count: int, coin: random.Random) -> list[Any]:
    """Returns values that are not held yet, each once: numbers above all, texts with a number behind them."""
    if all(isinstance(value, int) for value in held):
        return [max(held) + 1 + place for place in range(count)]
    if all(isinstance(value, float) for value in held):
        return [round(max(held) + 1.5 + place, 4) for place in range(count)]
    taken, found = set(held), list[Any]()
    for turn in range(20 * count):
        if len(found) == count:
            break
        value = coin.choice(held)
        is_date = _form(value) == (str, True) and turn < 15 * count
        other = _other(value, coin) if is_date else f"{value}{len(taken)}"
        if other not in taken:
            taken.add(other)
            found.append(other)
        elif not is_date:
            taken.add(len(taken))  # counts on
    return found
