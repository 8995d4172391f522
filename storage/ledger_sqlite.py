"""The ledger's calls in one SQLite file: WAL, fsync at every commit, several processes at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import StoreError
from storage.ledger_archive import ARCHIVE, FILE_ROWS, Archive
from storage.ledger_faults import BUSY_S, said_of
from storage.ledger_rows import Call, Drop, Stored, UnfitError, Usage, settle
from storage.ledger_shared import Shared

VERSION = 3
WAL_BYTES = 32 << 20
_SCHEMA = f"""
create table if not exists calls (
  id integer primary key, key blob not null, first integer not null, n integer not null, at integer not null,
  model text not null, prompt_tokens integer not null, cached_tokens integer not null,
  completion_tokens integer not null, cost real not null, latency_s real not null, fingerprint text not null,
  outcomes text not null, choices blob not null, question blob not null, raw blob
) strict;
create index if not exists calls_key on calls (key);
create table if not exists failures (
  model text not null, error text not null, count integer not null, primary key (model, error)
) strict, without rowid;
create table if not exists drops (
  at integer not null, key blob not null, sample integer, model text not null, answers integer not null,
  cost real not null, because text not null
) strict;
pragma user_version = {VERSION};
"""
_COLUMNS = ", ".join(Call._fields)
_ROW = f"({', '.join('?' * len(Call._fields))})"
_USAGE = "prompt_tokens, cached_tokens, cost, latency_s, fingerprint, choices"
_IS_MOVED = "substr(choices, 1, 1) = x'40'"
_UNFIT = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
_CHUNK = 64  # rows a statement: the interpreter lock is given up once a statement, not once a row


class SqliteCalls:
    """Calls and failures in one file; ``read`` is for one thread, ``write`` for another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = Archive(path.with_name(f"{path.stem}{ARCHIVE}"))
        self._last_id = 0
        self._stale = False
        with self._explained(), contextlib.ExitStack() as undo:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = undo.enter_context(contextlib.closing(self._connect()))
            version = self._writer.execute("pragma user_version").fetchone()[0]
            if version > VERSION:
                raise StoreError(
                    f"{path} was written by a newer version of Pairwright (ledger format {version}, this one knows up "
                    f"to {VERSION}): install that version, or choose another --root"
                )
            if version < VERSION:
                self._writer.executescript(f"begin immediate; {_SCHEMA} commit;")
            self._reader = undo.enter_context(contextlib.closing(self._connect()))
            self.shared = Shared(Path(f"{path}-shared"), self._fresh_keys)
            undo.pop_all()  # all of it is there: it stays open

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=4 * _CHUNK
        )
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
            if mode != "wal":
                raise StoreError(f"{self.path}: this file system cannot hold a ledger (SQLite answers {mode!r} to WAL)")
            # checkpoints are ours (see _checkpoint); an automatic one leaves a copied log behind in the file
            connection.executescript("pragma synchronous = full; pragma wal_autocheckpoint = 0;")
            undo.pop_all()
        return connection

    def read(self, key: bytes) -> list[Usage]:
        """Returns the rows of a question, oldest first."""
        try:
            if self.shared.absent(key):
                return []
            rows = self._reader.execute(f"select {_USAGE} from calls where key = ? order by id", (key,)).fetchall()
            return [(*usage, self.archive.choices(choices)) for *usage, choices in rows]
        except sqlite3.Error as error:
            raise said_of(self.path, error) from error

    def write(self, calls: Sequence[Call], failures: Sequence[tuple[str, str]]) -> dict[int, dict[int, Stored]]:
        """Adds calls in one durable commit; returns the winners of those another was faster with (see ``settle``).

        Raises:
            StoreError: nothing of this was added.
        """
        with self._explained():
            if self._stale:
                self._reopen()
            self._stale = True
            self._writer.execute("begin immediate")
            try:
                sure = self.shared.begin_write()
                held = [call.key for call in calls if not sure or call.key in self.shared.filter]
                added, winners = settle(calls, self._there(held))
                self._insert(added)
                if failures:
                    self._writer.executemany(
                        "insert into failures values (?, ?, 1) on conflict do update set count = count + 1", failures
                    )
                self.shared.filter.add([call.key for call in added])
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._writer.execute("rollback")
                raise
            finally:
                self.shared.end_write()
            self._stale = False
            self._checkpoint()
        return winners

    def _reopen(self) -> None:
        """Writes by a new connection: one that has met a disk error may never get over it."""
        fresh = self._connect()
        with contextlib.suppress(sqlite3.Error):
            self._writer.close()
        self._writer = fresh

    def _fresh_keys(self) -> list[bytes]:
        rows = self._reader.execute("select id, key from calls where id > ? order by id", (self._last_id,)).fetchall()
        if rows:
            self._last_id = rows[-1][0]
        return [key for _, key in rows]

    def _there(self, keys: Sequence[bytes]) -> dict[bytes, list[Usage]]:
        found: dict[bytes, list[Usage]] = {}
        for start, size in _chunks(len(keys)):
            query = f"select key, {_USAGE} from calls where key in ({', '.join('?' * size)}) order by id"
            for key, *usage, choices in self._writer.execute(query, keys[start : start + size]):
                found.setdefault(key, []).append((*usage, self.archive.choices(choices)))
        return found

    def _insert(self, calls: Sequence[Call]) -> None:
        for start, size in _chunks(len(calls)):
            values: list[Any] = []
            for call in calls[start : start + size]:
                values += call
            self._writer.execute(f"insert into calls ({_COLUMNS}) values {', '.join([_ROW] * size)}", values)

    def _checkpoint(self) -> None:
        with contextlib.suppress(OSError, sqlite3.Error):  # what was to be durable is
            if os.stat(f"{self.path}-wal").st_size > WAL_BYTES:
                self._writer.execute("pragma wal_checkpoint(truncate)").fetchone()

    @property
    def alone(self) -> bool:
        """Whether no other process can have written since the last ``claim``."""
        return self.shared.alone

    def claim(self, key: bytes) -> bool:
        """Marks a question as being asked by us; false while someone alive is asking it. A kill ends a claim."""
        return self.shared.claim(key)

    def release(self, key: bytes) -> None:
        """Ends a claim."""
        self.shared.release(key)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a named lock against every other process and thread.

        Raises:
            StoreError: someone else holds it; the message says who.
        """
        path = Path(f"{self.path}.{name}.lock")
        with self._explained(), path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                owner = file.read().strip() or "?"
                raise StoreError(f"{name} is locked by another run (process {owner}); wait for it to end") from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def scan(self) -> Iterator[Call]:
        """Yields every call, oldest first, as they were when it began."""
        return (call for _, call in self.rows())

    def rows(self) -> Iterator[tuple[int, Call]]:
        """Yields the number of every row and its call, oldest first, as they were when it began."""
        with self._explained(), contextlib.closing(self._connect()) as connection:
            for number, *row in connection.execute(f"select id, {_COLUMNS} from calls order by id"):
                yield number, self.archive.call(Call(*row))

    def rewrite(self, changes: Sequence[tuple[int, Call | None]], note: Drop) -> None:
        """Puts calls in the place of rows, or takes rows out, and notes why, in one durable commit."""
        names = ("n", "completion_tokens", "cost", "outcomes", "choices", "question", "raw")
        change = f"update calls set {', '.join(f'{name} = ?' for name in names)} where id = ?"
        with self._explained(), self._writer:
            self._writer.execute("begin immediate")
            for number, call in changes:
                if call is None:
                    self._writer.execute("delete from calls where id = ?", (number,))
                else:
                    self._writer.execute(change, (*(getattr(call, name) for name in names), number))
            self._writer.execute("insert into drops values (?, ?, ?, ?, ?, ?, ?)", note)

    def compact(self) -> int:
        """Moves every answer that is still in this file into a Parquet file of the archive; returns how many calls.

        A kill leaves each answer in one place or the other.

        Raises:
            StoreError: somebody else is at it, or the disk is full; what was moved until then is moved.
        """
        with self.lock("compact"), self._explained():
            place = "cast(substr(choices, 2, instr(choices, x'3a') - 2) as text)"
            named = self.query(f"select distinct {place} from calls where {_IS_MOVED}")
            number, moved = self.archive.sweep(int(row[0]) for row in named), 0
            while ids := self._move(number):
                number, moved = number + 1, moved + ids
            if self.shared.alone:
                self._writer.execute("vacuum")
                self._writer.execute("pragma wal_checkpoint(truncate)").fetchone()
        return moved

    def _move(self, number: int) -> int:
        ids: list[int] = []

        def calls() -> Iterator[Call]:
            query = f"select id, {_COLUMNS} from calls where not {_IS_MOVED} order by id limit {FILE_ROWS}"
            for row in connection.execute(query):
                ids.append(row[0])
                yield Call(*row[1:])

        with contextlib.closing(self._connect()) as connection:
            first = connection.execute(f"select 1 from calls where not {_IS_MOVED} limit 1").fetchone()
            if first is None:
                return 0
            self.archive.write(number, calls())
        with self._writer:
            self._writer.execute("begin immediate")
            self._writer.executemany(
                "update calls set choices = ?, question = x'', raw = null where id = ?",
                ((b"@%d:%d" % (number, row), key) for row, key in enumerate(ids)),
            )
        return len(ids)

    def query(self, sql: str) -> list[Any]:
        """Returns the rows of a query over ``calls`` and ``failures``."""
        with self._explained():
            return self._reader.execute(sql).fetchall()

    def check(self) -> list[str]:
        """Returns what SQLite finds wrong with its file."""
        lines = [str(row[0]) for row in self.query("pragma integrity_check")]
        return [] if lines == ["ok"] else [f"{self.path}: {line}" for line in lines]

    def close(self) -> None:
        """Lets go of the file; what was committed is there."""
        self._reader.close()
        self._writer.close()
        self.shared.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except _UNFIT as error:
            raise UnfitError(str(error)) from error
        except (sqlite3.Error, OSError) as error:
            raise said_of(self.path, error) from error


def _chunks(total: int) -> Iterator[tuple[int, int]]:
    return ((start, min(_CHUNK, total - start)) for start in range(0, total, _CHUNK))
