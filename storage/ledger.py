"""The answer ledger: every bought answer is durable here before anything uses it.

A sample's key is the BLAKE2b-128 of its question (everything that can change the answer) and its index, so a run asks
only for what is not there. Answers are written by one thread: whatever has queued goes into one transaction, one
fsync, and only then does ``keep`` return. SQLite on one machine, PostgreSQL where many share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from schemas.errors import StoreError
from schemas.exchange import Reply, Request
from storage import ledger_audit, ledger_drop
from storage.ledger_drop import Dropped
from storage.ledger_rows import Call, Drop, Stored, Usage, first_wins, key_of, to_call
from storage.ledger_sqlite import SqliteCalls
from storage.ledger_writer import PAUSE_S, Writer

__all__ = ["Call", "Ledger", "Stored"]

T = TypeVar("T")
REMEMBERED = 2048
CLAIM_POLL_S = (0.02, 0.5)


class Calls(Protocol):
    """Where calls are kept: ``SqliteCalls`` or ``PostgresCalls``."""

    @property
    def alone(self) -> bool:
        """Whether no other process can have written since the last ``claim``."""

    def read(self, key: bytes) -> list[Usage]:
        """Returns the rows of a question, oldest first."""

    def write(self, calls: Sequence[Call], failures: Sequence[tuple[str, str]]) -> dict[int, dict[int, Stored]]:
        """Adds calls in one durable commit; returns the winners of those another was faster with."""

    def claim(self, key: bytes) -> bool:
        """Marks a question as being asked by us; false while someone alive is asking it."""

    def release(self, key: bytes) -> None:
        """Ends a claim."""

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Holds a named lock against every other process."""

    def scan(self) -> Iterator[Call]:
        """Yields every call, oldest first."""

    def rows(self) -> Iterator[tuple[int, Call]]:
        """Yields the number of every row and its call, oldest first."""

    def rewrite(self, changes: Sequence[tuple[int, Call | None]], note: Drop) -> None:
        """Puts calls in the place of rows, or takes rows out, and notes why, in one durable commit."""

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Returns the rows of a query over ``calls`` and ``failures``."""

    def check(self) -> list[str]:
        """Returns what the database finds wrong with itself."""

    def compact(self) -> int:
        """Moves answers into Parquet files; returns how many calls."""

    def close(self) -> None:
        """Lets go of it."""


class Ledger:
    """Finds answers, keeps answers; used from one event loop, beside other processes on the same file."""

    def __init__(self, calls: Calls, *, patience_s: float = 0.0) -> None:
        self.calls, self.patience_s = calls, patience_s
        self._asked: dict[int, tuple[Request, bytes, bytes]] = {}
        self._writer = Writer(calls, patience_s)

    @classmethod
    def open(cls, where: str | Path, *, patience_s: float = 0.0) -> Ledger:
        """Returns the ledger of a file, made where there is none, or of a ``postgresql://`` URL.

        Args:
            patience_s: how long a full disk or a server that does not answer is waited for, once it is open.

        Raises:
            StoreError: it cannot be read and written.
        """
        if str(where).startswith(("postgresql://", "postgres://")):
            from storage.ledger_postgres import PostgresCalls

            return cls(PostgresCalls(str(where)), patience_s=patience_s)
        return cls(SqliteCalls(Path(where)), patience_s=patience_s)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def find(self, request: Request, names: Sequence[str] = ()) -> dict[int, Stored]:
        """Returns, of the samples a request wants, those already there: sample index -> answer.

        Args:
            names: how else the model was called; answers under these count where there is none under its own.

        Raises:
            StoreError: the ledger cannot be read, or an answer in it is damaged.
        """
        found = self._find(request)
        for name in names:
            if len(found) < request.n:
                found = self._find(replace(request, model=name)) | found
        return found

    def _find(self, request: Request) -> dict[int, Stored]:
        rows = self.calls.read(self._key(request)[1])
        if not rows:
            return {}
        wanted = range(request.first, request.first + request.n)
        try:
            return {index: answer for index, answer in first_wins(rows).items() if index in wanted}
        except ValueError as error:
            key = self._key(request)[1].hex()
            raise StoreError(
                f"the ledger is damaged at {key} ({error}); `pairwright ledger verify` lists it, "
                f"`pairwright ledger drop {key} --because TEXT` has it asked again"
            ) from error

    async def keep(self, request: Request, reply: Reply, raw: bytes | None = None) -> Reply:
        """Returns once the answers are on disk, with those that count: another process may have been faster.

        A reply with an error is counted as a failure and comes back at once; ``error`` choices are not kept. An answer
        that cannot be kept as it is comes back as a failed call.

        Raises:
            StoreError: they could not be made durable within the patience; the ledger takes no more.
        """
        question, key = self._key(request, remember=False)
        try:
            call = to_call(request, question, key, reply, raw, time.time_ns() // 1000)
            if call is not None:
                winners = await self._writer.keep(call, reply.latency_s)
                return reply if winners is None else _with_winners(reply, winners)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 — unfit for any database: it must not end or hang a run
            reply = Reply(error=f"the answer cannot be kept: {error}", latency_s=reply.latency_s, cost=reply.cost)
        self._writer.failed(request.model, reply.error or "no answer in the reply", reply.latency_s)
        return reply

    def watch(self, on_trouble: Callable[[StoreError | None], None]) -> None:
        """Has this called, in the loop's thread, when answers cannot be written now, and with null when they can."""
        self._writer.on_trouble = on_trouble

    async def look(self, request: Request, names: Sequence[str] = ()) -> dict[int, Stored]:
        """Returns what ``find`` returns, waiting within the patience where the ledger cannot be read now."""
        return await self._patiently(partial(self.find, request, names))

    async def _patiently(self, step: Callable[[], T]) -> T:
        end, pause = time.monotonic() + self.patience_s, PAUSE_S[0]
        while True:
            try:
                return step()
            except StoreError as error:
                if not error.passing or time.monotonic() >= end:
                    raise
            await asyncio.sleep(pause)
            pause = min(PAUSE_S[1], 2 * pause)

    async def claim(self, request: Request, found: dict[int, Stored]) -> dict[int, Stored]:
        """Waits while another live process asks this question; then it is ours to ask until ``release``.

        Args:
            found: what ``find`` has just found.

        Returns:
            What ``find`` finds once it is ours, so that nothing is bought that the other has bought meanwhile.
        """
        claim = partial(self.calls.claim, self._key(request)[1])
        if await self._patiently(claim):
            return found if self.calls.alone else found | await self.look(request)
        pause, longest = CLAIM_POLL_S
        while not await self._patiently(claim):
            await asyncio.sleep(pause)
            pause = min(longest, 1.5 * pause)
        return found | await self.look(request)

    def release(self, request: Request) -> None:
        """Ends a claim, by whom ``claim`` gave it to."""
        self.calls.release(self._key(request)[1])
        self._asked.pop(id(request), None)

    def _key(self, request: Request, *, remember: bool = True) -> tuple[bytes, bytes]:
        """Returns a request's canonical question and key, worked out once between ``find`` and ``release``."""
        known = self._asked.get(id(request))
        if known is None:
            question = request.question()
            known = (request, question, key_of(question))
            if remember:
                if len(self._asked) >= REMEMBERED:
                    self._asked.clear()
                self._asked[id(request)] = known  # holding the request keeps its id its own
        return known[1], known[2]

    def stats(self) -> dict[str, Any]:
        """Returns calls, answers, tokens, cost and outcomes by model, and failures by model (see ``ledger_audit``)."""
        return ledger_audit.stats(self.calls)

    def verify(self) -> list[str]:
        """Returns what is wrong with the ledger, one line each; nothing when every answer is what its key says."""
        return ledger_audit.verify(self.calls)

    def drop(
        self, *, because: str, key: str | None = None, row: int | None = None, sample: int | None = None
    ) -> Dropped:  # fmt: skip
        """Takes answers out of the ledger and notes why; see ``storage.ledger_drop.drop``."""
        return ledger_drop.drop(self.calls, because=because, key=key, row=row, sample=sample)

    def export(self, path: str | Path) -> int:
        """Writes every answer, with its question, to a ``.parquet`` or ``.jsonl`` file; returns how many."""
        return ledger_audit.export(self.calls, Path(path))

    def compact(self) -> int:
        """Moves answers out of the database into Parquet files of the lake; they are found as before.

        Raises:
            StoreError: somebody else is at it, or the disk is full; what was moved until then is moved.
            UsageError: the database is not a file of ours.
        """
        return self.calls.compact()

    def scan(self) -> Iterator[Call]:
        """Yields every call, oldest first."""
        return self.calls.scan()

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Holds a named lock against every other process on this ledger; a kill ends it.

        Raises:
            StoreError: someone else holds it.
        """
        return self.calls.lock(name)

    def close(self) -> None:
        """Writes what is still queued, then lets go of the file."""
        self._writer.close()
        self.calls.close()


def _with_winners(reply: Reply, winners: dict[int, Stored]) -> Reply:
    choices = [winners[choice.index].choice if choice.index in winners else choice for choice in reply.choices]
    return replace(reply, choices=tuple(choices))
