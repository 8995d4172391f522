"""SQL over the lake: read-only, with ``AS OF``.

``preferences AS OF v1``, ``AS OF 'quickstart@v1'``, ``AS OF a-tag`` and ``AS OF TIMESTAMP '2026-11-20T10:00'`` may
follow any table's name. For a dataset table it means the rows of that version; for a fact table the rows there were
when it was published. DuckDB's own tokens are looked at, so literals, quoted names and comments are left alone.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from schemas.errors import StoreError, UsageError, nearest
from schemas.tables import TABLES
from storage import catalog
from storage.guard import guarded
from storage.versions import Version, as_of, listed, parse_time

if TYPE_CHECKING:
    import duckdb

    from storage.store import Store

_WRITES = frozenset({
    "alter", "analyze", "attach", "call", "checkpoint", "copy", "create", "delete", "detach", "drop", "export",
    "import", "insert", "install", "load", "merge", "pragma", "replace", "reset", "set", "truncate", "update", "use",
    "vacuum",
})  # fmt: skip
_BEFORE = ("from", "join", ",", "(")
"""What stands before a table's name; anywhere else ``x AS of`` is a column with an alias."""


class Token(NamedTuple):
    """A word of the query: where it starts and ends, what it is, and its text."""

    start: int
    end: int
    kind: str
    text: str


def sql(store: Store, query: str) -> pa.RecordBatchReader:
    """Returns the result of one query, as a stream of record batches.

    Raises:
        UsageError: the query is wrong, or is not one that only reads; the message is DuckDB's and names the tables.
    """
    import duckdb

    try:
        with guarded("opening the lake for SQL", store.root):
            connection = connect(store)
        text = rewrite(query, listed(store))
        _refuse_writes(connection, text)
        reader: pa.RecordBatchReader = connection.sql(text).to_arrow_reader(16_384)
        return pa.RecordBatchReader.from_batches(reader.schema, _batches(reader, connection))
    except duckdb.Error as error:
        raise _usage(error) from error


def connect(store: Store) -> duckdb.DuckDBPyConnection:
    """Returns a database in memory with the views and macros of the lake as it is now; the lake itself is not in it."""
    import duckdb

    if store.root.folder is None:
        raise StoreError(f"SQL reads lakes in a local folder; {store.root} is in an object store")
    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    catalog.define(store, connection)
    return connection


def rewrite(query: str, versions: list[Version]) -> str:
    """Returns the query with every ``table AS OF …`` replaced by what it means.

    >>> rewrite("select 'preferences AS OF v1'", [])
    "select 'preferences AS OF v1'"
    """
    tokens = [token for token in _tokens(query) if token.kind != "comment"]
    out, done = [], 0
    for i, token in enumerate(tokens):
        if not (_is(tokens, i + 1, "as") and _is(tokens, i + 2, "of") and i and tokens[i - 1].text.lower() in _BEFORE):
            continue
        table = token.text.strip('"')
        if table not in TABLES:
            raise UsageError(f"AS OF after {table!r}, which is no table: {nearest(table, TABLES)}")
        end, source = _source(table, tokens, i + 3, versions)
        out.append(query[done : token.start] + source)
        if not _has_alias(tokens, end):
            out.append(f" as {table}")
        done = tokens[end - 1].end
    return "".join([*out, query[done:]])


def _source(table: str, tokens: list[Token], at: int, versions: list[Version]) -> tuple[int, str]:
    """Returns the index of the token after the version's name, and the rows it means."""
    if at >= len(tokens):
        raise UsageError(f"{table} AS OF what? A version (v1, 'dataset@v1'), a tag, or TIMESTAMP '2026-11-20T10:00'")
    if _is(tokens, at, "timestamp") or _is(tokens, at, "timestamptz"):
        text = tokens[at + 1].text if at + 1 < len(tokens) else ""
        moment = parse_time(text.strip("'"))
        if moment is None:
            raise UsageError(f"{table} AS OF TIMESTAMP {text}: expected a time such as '2026-11-20T10:00'")
        return at + 2, _at_time(table, moment, list(as_of(versions, moment).values()))
    end, name = _name(tokens, at)
    known = catalog.names(versions)
    if name not in known:
        raise UsageError(f"{table} AS OF {name}: there is no such version; {nearest(name, known)}")
    if TABLES[table].kind == "dataset":
        return end, f"{table}_at('{name}')"
    return end, _at_time(table, max(version.created_at for version in known[name]), [])


def _at_time(table: str, moment: datetime, versions: list[Version]) -> str:
    if TABLES[table].kind != "dataset":
        when = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        return f"(select * from {table} where created_at <= timestamp '{when}')"
    parts = [f"select * from {table}_at('{version.name}')" for version in versions]
    return f"({' union all '.join(parts) or f'select * from {table} where false'})"


def _name(tokens: list[Token], at: int) -> tuple[int, str]:
    """Returns a version's name, quoted or bare; ``rc-1`` and ``quickstart@v1`` are several tokens without a gap."""
    first = tokens[at]
    if first.text[0] in "'\"":
        return at + 1, first.text.strip("'\"").replace("''", "'")
    end, text = at + 1, first.text
    while end < len(tokens) and tokens[end].start == tokens[end - 1].end and tokens[end].text not in tuple("(),;"):
        text += tokens[end].text
        end += 1
    return end, text


def _has_alias(tokens: list[Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    word = tokens[at]
    return word.kind == "identifier" or (word.kind == "keyword" and word.text.lower() in _alias_words())


@functools.cache
def _alias_words() -> frozenset[str]:
    """Returns the keywords that can follow a table as its alias, and AS."""
    import duckdb

    kinds = "('unreserved', 'column_name')"
    with duckdb.connect(":memory:") as connection:
        words = connection.execute(f"select keyword_name from duckdb_keywords() where keyword_category in {kinds}")
        return frozenset({"as", *(word for (word,) in words.fetchall())})


def _is(tokens: list[Token], at: int, word: str) -> bool:
    return at < len(tokens) and tokens[at].kind in ("keyword", "identifier") and tokens[at].text.lower() == word


def _tokens(query: str) -> list[Token]:
    import duckdb

    raw = query.encode()  # DuckDB counts bytes
    starts = [(start, str(kind).rsplit(".", 1)[-1]) for start, kind in duckdb.tokenize(query)]
    ends = [*(start for start, _ in starts), len(raw)][1:]
    found = []
    for (start, kind), end in zip(starts, ends, strict=True):
        text = raw[start:end].decode()
        first = len(raw[:start].decode())
        found.append(Token(first, first + len(text.rstrip()), kind, text.rstrip()))
    return found


def _refuse_writes(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raises UsageError unless the query is one statement that only reads.

    A statement is known by its type; what hides in a common table expression or behind EXPLAIN by its first word.
    """
    import duckdb

    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise UsageError(f"expected one query, found {len(statements)}")
    kind = statements[0].type
    allowed = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI)
    tokens = [token for token in _tokens(query) if token.kind != "comment"]
    starts = [tokens[0], *(after for before, after in itertools.pairwise(tokens) if before.text == "(")]
    if kind == duckdb.StatementType.EXPLAIN:
        starts += [token for token in tokens[1:6] if token.text.lower() != "analyze"]
    wrong = next((token.text for token in starts if token.kind == "keyword" and token.text.lower() in _WRITES), None)
    if kind not in allowed or wrong is not None:
        raise UsageError(
            f"the lake is read-only here: {(wrong or str(kind).rsplit('.', 1)[-1]).upper()} is not allowed"
        )


def _batches(reader: pa.RecordBatchReader, connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """Returns the batches; the connection lives as long as they are read."""
    import duckdb

    try:
        yield from reader
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _usage(error) from error
    finally:
        connection.close()


def _usage(error: Exception) -> UsageError:
    return UsageError(f"{str(error).strip()}\nThe tables are: {', '.join(TABLES)}")
