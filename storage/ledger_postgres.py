"""The ledger's calls in PostgreSQL, where many machines share them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from schemas.errors import MissingExtraError, StoreError, UsageError
from storage.ledger_rows import Call, Drop, Stored, UnfitError, Usage, settle

if TYPE_CHECKING:
    import psycopg

_SCHEMA = """
create table if not exists calls (
  id bigserial primary key, key bytea not null, first integer not null, n integer not null, at bigint not null,
  model text not null, prompt_tokens bigint not null, cached_tokens bigint not null,
  completion_tokens bigint not null, cost double precision not null, latency_s double precision not null,
  fingerprint text not null, outcomes text not null, choices bytea not null, question bytea not null, raw bytea
);
create index if not exists calls_key on calls (key);
create table if not exists failures (
  model text not null, error text not null, count bigint not null, primary key (model, error)
);
create table if not exists drops (
  at bigint not null, key bytea not null, sample integer, model text not null, answers integer not null,
  cost double precision not null, because text not null
);
create table if not exists about (format integer not null);
"""
FORMAT = 3
_COLUMNS = ", ".join(Call._fields)
_USAGE = "prompt_tokens, cached_tokens, cost, latency_s, fingerprint, choices"
_INSERT = f"insert into calls ({_COLUMNS}) values ({', '.join(['%s'] * len(Call._fields))})"
_FAILED = "insert into failures as f values (%s, %s, 1) on conflict (model, error) do update set count = f.count + 1"
_WRITERS = 0x7061_6972  # of the advisory lock under which all writers queue: commits are seen in the order of their ids
_CLAIMS, _NAMES = 0x636C_6169, 0x6E61_6D65


class PostgresCalls:
    """Calls and failures in a database; ``read`` is for one thread, ``write`` for another."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise MissingExtraError("psycopg", "postgres") from error
        self.psycopg, self.url = psycopg, url
        self._held: set[bytes] = set()
        with self._explained():
            self._writer, self._reader = self._connect(), self._connect()
            with self._writer.transaction():
                self._writer.execute("select pg_advisory_xact_lock(%s)", (_WRITERS,))  # two at once would both create
                self._writer.execute(_SCHEMA)
                found = self._writer.execute("select max(format) from about").fetchone()
                if found is None or found[0] is None:
                    self._writer.execute("insert into about values (%s)", (FORMAT,))
        number = FORMAT if found is None or found[0] is None else found[0]
        if number > FORMAT:
            self.close()
            raise StoreError(
                f"the ledger on this database was written by a newer version of Pairwright (ledger format {number}, "
                f"this one knows up to {FORMAT}): install that version, or choose another database"
            )

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self.psycopg.connect(self.url, autocommit=True, connect_timeout=10, client_encoding="utf8")
        connection.execute("set client_min_messages = warning; set synchronous_commit = on")
        return connection

    def read(self, key: bytes) -> list[Usage]:
        """Returns the rows of a question, oldest first."""
        with self._explained():
            self._revive_reader()
            query = f"select {_USAGE} from calls where key = %s order by id"
            return self._reader.execute(query, (key,), binary=True, prepare=True).fetchall()

    def write(self, calls: Sequence[Call], failures: Sequence[tuple[str, str]]) -> dict[int, dict[int, Stored]]:
        """Adds calls in one durable commit; returns the winners of those another was faster with (see ``settle``).

        Raises:
            StoreError: nothing of this was added.
        """
        with self._explained():
            if self._writer.closed:
                self._writer = self._connect()
            with self._writer.transaction():
                self._writer.execute("select pg_advisory_xact_lock(%s)", (_WRITERS,))
                there: dict[bytes, list[Usage]] = {}
                query = f"select key, {_USAGE} from calls where key = any(%s) order by id"
                for key, *row in self._writer.execute(query, ([call.key for call in calls],), binary=True):
                    there.setdefault(key, []).append(tuple(row))
                added, winners = settle(calls, there)
                with self._writer.cursor() as cursor:
                    cursor.executemany(_INSERT, added)
                    cursor.executemany(_FAILED, [_without_nul(failure) for failure in failures])
        return winners

    def _revive_reader(self) -> None:
        """Connects anew where the session is gone; its claims are taken again, but for those somebody has by now."""
        if self._reader.closed:
            self._reader = self._connect()
            for key in self._held:
                self._reader.execute("select pg_try_advisory_lock(%s, %s)", (_CLAIMS, _short(key)))

    @property
    def alone(self) -> bool:
        """Never: who else is on the database is not known."""
        return False

    def claim(self, key: bytes) -> bool:
        """Marks a question as being asked by us; false while someone alive is asking it. A lost session ends it."""
        if key in self._held or not self._try_lock(_CLAIMS, key):
            return False
        self._held.add(key)
        return True

    def release(self, key: bytes) -> None:
        """Ends a claim."""
        if key in self._held:
            self._held.discard(key)
            with contextlib.suppress(self.psycopg.Error):  # a session that is gone holds nothing
                self._reader.execute("select pg_advisory_unlock(%s, %s)", (_CLAIMS, _short(key)))

    def _try_lock(self, space: int, key: bytes) -> bool:
        with self._explained():
            self._revive_reader()
            row = self._reader.execute("select pg_try_advisory_lock(%s, %s)", (space, _short(key))).fetchone()
        return bool(row and row[0])

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a named lock against every other session.

        Raises:
            StoreError: someone else holds it.
        """
        from hashlib import blake2b

        with contextlib.closing(self._connect()) as session:
            key = _short(blake2b(name.encode(), digest_size=16).digest())
            row = session.execute("select pg_try_advisory_lock(%s, %s)", (_NAMES, key)).fetchone()
            if not (row and row[0]):
                raise StoreError(f"{name} is locked by another run on this database; wait for it to end")
            yield

    def rewrite(self, changes: Sequence[tuple[int, Call | None]], note: Drop) -> None:
        """Puts calls in the place of rows, or takes rows out, and notes why, in one durable commit."""
        names = ("n", "completion_tokens", "cost", "outcomes", "choices", "question", "raw")
        change = f"update calls set {', '.join(f'{name} = %s' for name in names)} where id = %s"
        with self._explained(), self._writer.transaction():
            self._writer.execute("select pg_advisory_xact_lock(%s)", (_WRITERS,))
            for number, call in changes:
                if call is None:
                    self._writer.execute("delete from calls where id = %s", (number,))
                else:
                    self._writer.execute(change, (*(getattr(call, name) for name in names), number))
            self._writer.execute("insert into drops values (%s, %s, %s, %s, %s, %s, %s)", note)

    def scan(self) -> Iterator[Call]:
        """Yields every call, oldest first, as they were when it began."""
        return (call for _, call in self.rows())

    def rows(self) -> Iterator[tuple[int, Call]]:
        """Yields the number of every row and its call, oldest first, as they were when it began."""
        with (
            self._explained(),
            contextlib.closing(self._connect()) as session,
            session.transaction(),
            session.cursor("calls", binary=True) as cursor,
        ):
            cursor.itersize = 1000
            cursor.execute(f"select id, {_COLUMNS} from calls order by id")
            for number, *row in cursor:
                yield number, Call(*row)

    def query(self, sql: str) -> list[Any]:
        """Returns the rows of a query over ``calls`` and ``failures``."""
        with self._explained():
            return [tuple(_number(value) for value in row) for row in self._reader.execute(sql)]

    def compact(self) -> int:
        """Raises UsageError: a database server keeps its own house."""
        raise UsageError("a PostgreSQL ledger is compacted by PostgreSQL; `pairwright ledger export` copies it")

    def check(self) -> list[str]:
        """Returns nothing: PostgreSQL checks its pages when it reads them."""
        return []

    def close(self) -> None:
        """Lets go of the database; what was committed is there."""
        self._reader.close()
        self._writer.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (self.psycopg.DataError, self.psycopg.IntegrityError) as error:
            raise UnfitError(" ".join(str(error).split())) from error
        except self.psycopg.Error as error:
            place = self.url.rpartition("@")[2]  # what stands before it may be a password
            lasting = isinstance(error, self.psycopg.ProgrammingError | self.psycopg.NotSupportedError)
            raise StoreError(f"postgresql://{place}: {' '.join(str(error).split())}", passing=not lasting) from error


def _short(key: bytes) -> int:
    return int.from_bytes(key[:4], "big", signed=True)


def _without_nul(failure: tuple[str, str]) -> tuple[str, str]:
    return failure[0], failure[1].replace("\0", "�")


def _number(value: Any) -> Any:
    """Returns a sum as a number: PostgreSQL sums integers as decimals."""
    from decimal import Decimal

    return int(value) if isinstance(value, Decimal) else value
