"""Runs reference queries and one judged query on a throw-away SQLite database, and compares what they return.

Source: execution accuracy of Spider (arXiv:1809.08887, section 4.2) and of its test suites (arXiv:2010.02840).

Runs inside the sandbox; standard library only. ``job.json`` holds {setup, golds: [{sql, ordered}], query, now,
columns_fixed, changed, seed}; the module ``_sql_changed`` lies beside it. The last line printed is the verdict; a line
``"ready"`` before it says that the references ran, so that whatever ends the program after it is the judged query's
doing.
"""

from __future__ import annotations

import collections
import contextlib
import json
import re
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_ROWS, MOST_STEPS, MOST_BYTES = 20_000, 20_000_000, 10_000_000
_READS = re.compile(r"\bfrom\b", re.IGNORECASE)
TRIES = 8
"""Seeds that are tried for databases with changed rows."""
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
FORBIDDEN = {"load_extension", "fts3_tokenizer", "edit", "writefile", "readfile"}
Rows = list[tuple[Any, ...]]


def build(setup: str, now: str) -> sqlite3.Connection:
    """Returns a database in memory, in which the time is always ``now``."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(setup)
    hold_time(connection, now)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    return connection


def limit(connection: sqlite3.Connection) -> None:
    """Bounds the length of a value, and lets nothing run for ever."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    steps = [0]

    def tick() -> int:
        steps[0] += 10_000
        return int(steps[0] > MOST_STEPS)

    connection.set_progress_handler(tick, 10_000)


def hold_time(connection: sqlite3.Connection, now: str) -> None:
    """Makes ``now`` the time of every date function."""
    inner = sqlite3.connect(":memory:")
    for name, place in (("date", 0), ("time", 0), ("datetime", 0), ("julianday", 0), ("unixepoch", 0), ("strftime", 1)):
        connection.create_function(name, -1, _fixed(inner, name, place, now))
    for name, function in (("current_date", "date"), ("current_time", "time"), ("current_timestamp", "datetime")):
        connection.create_function(name, 0, _fixed(inner, function, 0, now))


def _fixed(inner: sqlite3.Connection, name: str, place: int, now: str) -> Any:
    def function(*args: Any) -> Any:
        given = [*args, "now"] if len(args) == place else list(args)
        if len(given) > place and isinstance(given[place], str) and given[place].lower() == "now":
            given[place] = now
        return inner.execute(f"SELECT {name}({', '.join('?' * len(given))})", given).fetchone()[0]

    return function


def confine(connection: sqlite3.Connection) -> None:
    """Lets the connection read, and nothing else, for so many steps."""
    steps = [0]

    def tick() -> int:
        steps[0] += 10_000
        return int(steps[0] > MOST_STEPS)

    def allow(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        forbidden = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN
        return sqlite3.SQLITE_OK if action in ALLOWED and not forbidden else sqlite3.SQLITE_DENY

    connection.set_progress_handler(tick, 10_000)
    connection.set_authorizer(allow)


def fetch(connection: sqlite3.Connection, query: str) -> Rows:
    """Returns the rows of one query.

    Raises:
        sqlite3.Error: it is not one query, or it fails, or it returns too much.
    """
    cursor = connection.execute(query)
    if cursor.description is None:
        raise sqlite3.OperationalError("the statement returns no rows")
    rows = cursor.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise sqlite3.OperationalError(f"more than {MOST_ROWS} rows")
    return rows


def plain(value: Any) -> tuple[str, Any]:
    """Returns a value as it is compared: numbers by nine digits, whatever their type."""
    if isinstance(value, int | float):
        return ("number", f"{float(value):.9g}" if abs(value) < 2**53 else str(value))
    if isinstance(value, bytes):
        return ("bytes", value.hex())
    return ("null", "") if value is None else ("text", value)


def same(gold: Rows, found: Rows, *, ordered: bool, columns_fixed: bool) -> bool:
    """Says whether two results hold the same rows: in order, or else as multisets; the order of columns may differ."""
    if len(gold) != len(found):
        return False
    if not gold:
        return True
    width = len(gold[0])
    if width != len(found[0]):
        return False
    left = [tuple(plain(value) for value in row) for row in gold]
    right = [tuple(plain(value) for value in row) for row in found]
    for order in [tuple(range(width))] if columns_fixed else _orders(left, right, width):
        moved = [tuple(row[i] for i in order) for row in right]
        if left == moved or (not ordered and collections.Counter(left) == collections.Counter(moved)):
            return True
    return False


def _orders(left: Sequence[Any], right: Sequence[Any], width: int, most: int = 5000) -> list[tuple[int, ...]]:
    """Returns the orders of the right columns in which each holds the same values as its left one."""
    bags = [[collections.Counter(row[i] for row in rows) for i in range(width)] for rows in (left, right)]
    found: list[tuple[int, ...]] = [()]
    for i in range(width):
        found = [(*order, j) for order in found for j in range(width) if j not in order and bags[0][i] == bags[1][j]]
        found = found[:most]
    return found


def turned_round(connection: sqlite3.Connection, now: str) -> sqlite3.Connection:
    """Returns a copy of the database with the rows of its tables in the opposite order, as far as they have none."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    hold_time(copy, now)
    for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        name = '"' + table.replace('"', '""') + '"'
        with contextlib.suppress(sqlite3.Error):  # a table without row ids has an order of its own
            rows = copy.execute(f"SELECT * FROM {name} ORDER BY rowid DESC").fetchall()
            if rows:
                _write(copy, name, rows)
    return copy


def _write(connection: sqlite3.Connection, name: str, rows: Rows) -> None:
    """Makes these the rows of a table, or leaves it as it is: one with computed columns takes no rows like this."""
    connection.execute("BEGIN")
    try:
        connection.execute(f"DELETE FROM {name}")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def golds(
    connection: sqlite3.Connection, turned: sqlite3.Connection, given: list[dict[str, Any]]
) -> tuple[list[tuple[Rows, bool, bool]], list[tuple[str, str]]]:
    """Returns the results of the references that run, what of them counts, and the rest with their errors.

    The order counts where the query asks for one and it is complete: with the rows of every table turned round, the
    query gives the same. Where it gives the same rows then, in whatever order, so must a query that is judged.
    """
    out, errors = [], list[tuple[str, str]]()
    for gold in given:
        try:
            rows = fetch(connection, gold["sql"])
            again = fetch(turned, gold["sql"])
        except sqlite3.Error as error:
            errors.append((gold["sql"], f"{type(error).__name__}: {error}"))
            continue
        order = gold["ordered"] and same(rows, again, ordered=True, columns_fixed=True)
        out.append((rows, order, same(rows, again, ordered=order, columns_fixed=True)))
    return out, errors


class Base(NamedTuple):
    """A database: as it is, with its rows turned round, and what the references return; null where one does not run."""

    plain: sqlite3.Connection
    turned: sqlite3.Connection
    golds: list[tuple[Rows, bool, bool]]


def changed(first: Base, job: dict[str, Any], given: list[dict[str, Any]]) -> list[Base]:
    """Returns databases with changed rows on which the references can be held against a query.

    On such a one every reference runs, and its rows hang on the order of the tables' rows no more than before. There
    are none where references that returned the same do not there: which of them is right, nobody has said.
    """
    sys.path.insert(0, ".")
    import _sql_changed  # type: ignore[import-not-found]

    if not any(firm for _, _, firm in first.golds) or not any(_READS.search(gold["sql"]) for gold in given):
        return []  # what reads no table, or hangs on the order of rows, says nothing of other rows
    wanted = list(dict.fromkeys(value for gold in given for value in _sql_changed.literals(gold["sql"])))
    found: list[Base] = []
    for seed in range(job["seed"], job["seed"] + (TRIES if job["changed"] > 0 else 0)):
        copy = sqlite3.connect(":memory:", isolation_level=None)
        first.plain.backup(copy)
        _sql_changed.change(copy, seed, wanted)
        hold_time(copy, job["now"])
        turned = turned_round(copy, job["now"])
        for connection in (copy, turned):
            limit(connection)
        made, errors = golds(copy, turned, given)
        base = Base(copy, turned, made)
        if errors or not all(new[2] or not old[2] for old, new in zip(first.golds, made, strict=True)):
            continue
        if _differ(first.golds, made):
            return []
        found.append(base)
        if len(found) >= job["changed"] and len(given) == 1:
            break
    return found[: job["changed"]]


def _differ(before: list[tuple[Rows, bool, bool]], after: list[tuple[Rows, bool, bool]]) -> bool:
    """Says whether references that returned the same rows no longer do."""
    return any(
        same(before[i][0], before[j][0], ordered=False, columns_fixed=False)
        and not same(after[i][0], after[j][0], ordered=False, columns_fixed=False)
        for i in range(len(before))
        for j in range(i)
    )


def say(value: Any) -> None:
    """Prints one line, at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Prints the verdict on the job."""
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    connection = build(job["setup"], job["now"])
    turned = turned_round(connection, job["now"])
    accepted, errors = golds(connection, turned, job["golds"])
    if not accepted:
        say({"broken": [error for _, error in errors]})
        return
    first = Base(connection, turned, accepted)
    others = changed(first, job, [gold for gold in job["golds"] if gold["sql"] not in dict(errors)])
    say("ready")
    verdict: dict[str, Any] = {"matched": None, "error": None, "rows": None, "changed": len(others), "accident": False}
    try:
        matches, verdict["rows"] = matched(first, job)
        verdict["accident"] = any(matches)
        for base in others:
            if any(matches):
                now = zip(matches, matched(base, job)[0], first.golds, strict=True)
                matches = [before and (after or not gold[2]) for before, after, gold in now]
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError, UnicodeError) as error:
        verdict["error"] = f"{type(error).__name__}: {error}"[:500]
    else:
        verdict["matched"] = matches.index(True) if any(matches) else None
        verdict["accident"] = verdict["accident"] and not any(matches)
    say(verdict)


def matched(base: Base, job: dict[str, Any]) -> tuple[list[bool], int]:
    """Returns which references the judged query returns the rows of, and how many rows it returns."""
    confine(base.plain)
    confine(base.turned)
    rows, again = fetch(base.plain, job["query"]), fetch(base.turned, job["query"])
    fixed = job["columns_fixed"]
    matches = [
        same(gold, rows, ordered=order, columns_fixed=fixed)
        and (not firm or same(gold, again, ordered=order, columns_fixed=fixed))
        for gold, order, firm in base.golds
    ]
    return matches, len(rows)


if __name__ == "__main__":
    main()
