"""The ledger's writer: one thread, one commit at a time; what it cannot write it keeps, and tries again.

Whatever goes wrong in a commit is one of two things. *Trouble* (a full disk, a server that restarts) ends by itself or
by what somebody does: the batch stays in hand, is tried again within a patience, and meanwhile whoever listens sends
nothing more. An *unfit* answer no database can hold: it alone is refused, the others of its batch are written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.errors import StoreError
from storage.ledger_rows import Call, Stored

log = logging.getLogger(__name__)

GATHER = 0.02
"""How long the first answer of a commit waits for company, as a share of the time its call took …"""
GATHER_S = (0.003, 0.02)
"""… and in seconds: the least and the most."""
PAUSE_S = (0.05, 1.0)
"""Between two attempts at a commit: the first pause, and the longest."""

Winners = dict[int, Stored]
Settled = Winners | Exception | None
"""What became of one call: null for kept as it is, the answers that count instead, or why it was not kept."""


class Writes(Protocol):
    """What the writer needs of where calls are kept."""

    def write(self, calls: Sequence[Call], failures: Sequence[tuple[str, str]]) -> dict[int, Winners]:
        """Adds calls in one durable commit; returns the winners of those another was faster with."""


class Batch:
    """What goes into one commit, and who waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.calls: list[Call] = []
        self.waiting: list[asyncio.Future[Winners | None]] = []
        self.failures: list[tuple[str, str]] = []


class Writer:
    """Writes what has queued, in its own thread; used from one event loop at a time.

    Args:
        calls: where to. patience_s: how long a commit is tried again before it is given up.

    Attributes:
        broken: why it has given up, null while it has not.
        on_trouble: called in the loop's thread with what is wrong when a commit fails, and with null when it is over.
    """

    def __init__(self, calls: Writes, patience_s: float) -> None:
        self.calls, self.patience_s = calls, patience_s
        self.broken: StoreError | None = None
        self.on_trouble: Callable[[StoreError | None], None] = lambda _: None
        self._batch: Batch | None = None
        self._writing = self._troubled = False
        self._unwritten: list[Batch] = []
        self._closing = threading.Event()
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def failed(self, model: str, error: str, latency_s: float) -> None:
        """Has a failed call counted."""
        self._open(latency_s).failures.append((model, error[:300].encode("utf-8", "replace").decode()))

    async def keep(self, call: Call, latency_s: float) -> Winners | None:
        """Returns once a call is durable: null, or the answers that count instead of its own.

        Raises:
            StoreError: it could not be made durable, and the writer has given up.
            UnfitError: no database can hold it.
        """
        batch = self._open(latency_s)
        batch.calls.append(call)
        if self.broken is not None:  # it is tried once more in the end
            raise self.broken
        future: asyncio.Future[Winners | None] = batch.loop.create_future()
        batch.waiting.append(future)
        return await future

    def _open(self, latency_s: float) -> Batch:
        """Returns the batch that the next commit takes."""
        loop, batch = asyncio.get_running_loop(), self._batch
        if batch is None or batch.loop is not loop:
            if batch is not None:  # of a loop that ended before it could hand this over
                self._queue.put(batch)
            batch = self._batch = Batch(loop)
            if not self._writing and self.broken is None:
                shortest, longest = GATHER_S
                loop.call_later(min(longest, max(shortest, GATHER * latency_s)), self._hand_over, batch)
        return batch

    def _hand_over(self, batch: Batch) -> None:
        if self._batch is batch and not self._writing:
            self._batch, self._writing = None, True
            self._queue.put(batch)

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            settled = self._settled(batch)
            try:
                batch.loop.call_soon_threadsafe(self._written, batch, settled)
            except RuntimeError:  # the loop has been closed: nobody waits any more
                self._writing = False

    def _settled(self, batch: Batch) -> list[Settled]:
        """Returns what became of every call of a batch. Never raises: a thread that dies leaves everybody waiting."""
        try:
            return list(self._patiently(batch, batch.calls, batch.failures))
        except StoreError as error:
            self.broken = error
            self._unwritten.append(batch)
            return [error] * len(batch.calls)
        except Exception:  # noqa: BLE001 — something in it cannot be written at all: find out what
            return self._one_by_one(batch)

    def _one_by_one(self, batch: Batch) -> list[Settled]:
        settled: list[Settled] = []
        for position, call in enumerate(batch.calls):
            try:
                settled += self._patiently(batch, [call], [])
            except StoreError as error:
                self.broken = error
                rest = Batch(batch.loop)
                rest.calls, rest.failures = batch.calls[position:], batch.failures
                self._unwritten.append(rest)
                return settled + [error] * len(rest.calls)
            except Exception as error:  # noqa: BLE001 — the answer is refused, its asker is told
                settled.append(error)
        for failure in batch.failures:
            with contextlib.suppress(Exception):  # a count of failures, no answer
                self.calls.write([], [failure])
        return settled

    def _patiently(self, batch: Batch, calls: list[Call], failures: list[tuple[str, str]]) -> list[Settled]:
        """Writes in one commit, again and again while there is trouble that may pass.

        Raises:
            StoreError: it lasts, or the patience is at its end. Exception: they cannot be written at all.
        """
        end, pause = time.monotonic() + self.patience_s, PAUSE_S[0]
        while True:
            try:
                winners = self.calls.write(calls, failures)
            except (StoreError, MemoryError) as error:
                trouble = error if isinstance(error, StoreError) else StoreError("out of memory", passing=True)
                left = end - time.monotonic()
                if not trouble.passing or self.broken is not None or left <= 0:
                    raise self._given_up(trouble, calls) from error
                self._report(batch, trouble, len(calls))
                self._closing.wait(min(pause, left))
                pause = min(PAUSE_S[1], 2 * pause)
            else:
                self._report(batch, None, len(calls))
                return [winners.get(position) if winners else None for position in range(len(calls))]

    def _report(self, batch: Batch, trouble: StoreError | None, calls: int) -> None:
        if self._troubled == (trouble is not None):
            return
        self._troubled = trouble is not None
        if trouble is None:
            log.warning("the ledger is written again; the run goes on")
        else:
            log.warning(
                "%s; nothing more is asked, %s answered calls are kept in memory and tried again for up to %g s",
                trouble, f"{calls:,}", self.patience_s,
            )  # fmt: skip
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            batch.loop.call_soon_threadsafe(self.on_trouble, trouble)

    def _given_up(self, trouble: StoreError, calls: list[Call]) -> StoreError:
        waited = f", and still after {self.patience_s:g} s" if trouble.passing and self.patience_s else ""
        return StoreError(
            f"{trouble}{waited}; the last {len(calls):,} answered calls could not be kept and will be asked again: "
            "mend it, then give the same command"
        )

    def _written(self, batch: Batch, settled: list[Settled]) -> None:
        self._writing = False
        if self._batch is not None and self.broken is None:
            self._hand_over(self._batch)
        for future, outcome in zip(batch.waiting, settled, strict=False):
            if future.done():  # its asker was cancelled; the answer is kept all the same
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self.broken is not None and self._batch is not None:  # it came meanwhile: it is tried once more in the end
            late = self._batch.waiting
            self._batch.waiting = []
            for future in late:
                if not future.done():
                    future.set_exception(self.broken)

    def close(self) -> None:
        """Writes what is still queued, and tries once more what could not be written; then the thread has ended."""
        if self._batch is not None:
            batch, self._batch = self._batch, None
            self._queue.put(batch)
        self._queue.put(None)
        self._thread.join()
        left, self._unwritten = self._unwritten, []
        with contextlib.suppress(Exception):
            for batch in left:
                self.calls.write(batch.calls, batch.failures)
