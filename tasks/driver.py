"""The one place where requests meet the ledger and a backend.

Exchanges are generators that ask; the driver answers thousands of them at once. For each request it looks in the
ledger, asks the backend for what is missing, makes the answer durable, and only then hands it on. An answer keeps its
slot until it is durable, and nothing is sent while the ledger cannot be written, so at most ``slots`` answers can be
lost to a kill, a full disk or a database that is gone, and those were in flight.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from schemas.errors import EndpointError, StoppedError, StoreError
from schemas.exchange import Choice, Reply, Request
from storage.ledger import Ledger, Stored
from tasks.backends.base import Backend
from tasks.slots import Gate, Order
from tasks.spending import Budget, Tally

Rows = list[dict[str, Any]]
GIVE_UP_AFTER = 40
"""So many failed calls in a row, with none answered in between, mean that the endpoint is gone."""


class Driver:
    """Answers exchanges through the ledger and the backends.

    Args:
        backends: SPEC -> backend; specs that share an endpoint share its slots.
        workers: where rules run (plain functions that need CPU); null runs them here.
        offline: nothing is asked; an answer that the ledger does not hold is a failed call.

    Attributes:
        revisions: SPEC -> what its backend runs, once that is known: a checkpoint that was trained on is another
            model, and its answers are other answers.
        elders: prompt id or key -> what its seeds are made of, in a lake of the first format.
        names: SPEC -> how else the same endpoint was written in a lake of the first format; answers count either way.
    """

    def __init__(
        self, backends: Mapping[str, Backend], ledger: Ledger, *, budget: Budget | None = None,
        workers: Executor | None = None, offline: bool = False,
    ) -> None:  # fmt: skip
        self.backends, self.ledger, self.workers, self.offline = backends, ledger, workers, offline
        self.budget = budget or Budget()
        self.revisions: Mapping[str, str] = {}
        self.elders: Mapping[str, str] = {}
        self.names: Mapping[str, Sequence[str]] = {}
        self.tally = Tally()
        self.stopped: Exception | None = None
        self.wake, self.writable = asyncio.Event(), asyncio.Event()
        self.writable.set()
        ledger.watch(self._on_trouble)
        self.finished = 0
        self._failures_in_a_row = 0
        groups: dict[str, list[Backend]] = {}
        for spec, backend in backends.items():
            groups.setdefault(getattr(backend, "endpoint", spec), []).append(backend)
        gates = {name: Gate(group, self.tally, self.wake) for name, group in groups.items()}
        self.gates = {spec: gates[getattr(backend, "endpoint", spec)] for spec, backend in backends.items()}

    def stop(self, reason: Exception) -> None:
        """Sends nothing more; what is in flight lands and is kept. The first reason counts."""
        self.stopped = self.stopped or reason
        self.wake.set()
        self.writable.set()  # whoever waits to ask is told

    def _on_trouble(self, trouble: StoreError | None) -> None:
        if trouble is None or self.stopped is not None:
            self.writable.set()
        else:
            self.writable.clear()

    async def exchange(self, block: Callable[..., Any], *args: Any, order: Order = (0, 0), **params: Any) -> Rows:
        """Returns the rows of one exchange, or of one rule.

        Args:
            block: a generator function (its requests are answered) or a plain function (run by a worker).
            order: of the prompt; lower goes first where slots are short.
        """
        if inspect.isgeneratorfunction(block):
            return await self._drive(block(*args, **params), order)
        if self.workers is None:
            rows: Rows = block(*args, **params)
            return rows
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, _apply, block, args, params)

    async def _drive(self, exchange: Generator[list[Request], list[Reply], Rows], order: Order) -> Rows:
        try:
            requests = next(exchange)
            while True:
                if len(requests) == 1:
                    replies = [await self.ask(requests[0], order)]
                else:
                    replies = await _all(self.ask(request, order) for request in requests)
                requests = exchange.send(replies)
        except StopIteration as end:
            rows: Rows = end.value
            return rows
        finally:
            exchange.close()

    async def ask(self, request: Request, order: Order = (0, 0)) -> Reply:
        """Returns the answers to one request: from the ledger where they are, bought and kept where not.

        Raises:
            StoppedError: the run was stopped, or its budget is used up, before this could be asked.
            EndpointError: the endpoint refuses us or is gone.
            StoreError: the ledger can be neither read nor written, and did not come back within its patience.
        """
        try:
            return await self._ask(request, order)
        except StoreError as error:
            self.stop(error)
            raise

    async def _ask(self, request: Request, order: Order) -> Reply:
        backend = self.backends[request.model]
        if getattr(backend, "records", False):  # recorded data: nothing is bought, so nothing is kept
            return await backend.answer(request)
        request = revised(request, self.revisions)
        found = await self.ledger.look(request, self.names.get(request.model, ()))
        replies: list[Reply] = []
        if len(found) < request.n and self.offline and request.kind != "run":
            replies = [Reply(error="not in the ledger")]
            self.tally.count(request, replies[0])
        elif len(found) < request.n:
            found = await self.ledger.claim(request, found)  # two askers of one question, here or elsewhere, buy once
            try:
                replies = [await self._buy(backend, part, order) for part in _missing(request, found)]
            finally:
                self.ledger.release(request)
        self.tally.from_ledger += len(found)
        return _merged(found, replies) if replies else from_ledger(found)

    async def _buy(self, backend: Backend, request: Request, order: Order) -> Reply:
        gate = self.gates[request.model]
        self._may_go_on()
        await gate.enter(order)
        try:
            await self.writable.wait()
            self._may_go_on()
            self.tally.asked += 1
            self.tally.in_flight += 1
            try:
                reply = await self.ledger.keep(request, await backend.answer(request))
            finally:
                self.tally.in_flight -= 1
        except (EndpointError, StoreError) as error:  # before the slot is given back: nobody asks who cannot keep
            self.stop(error)
            raise
        finally:
            gate.leave()
        self.tally.count(request, reply)
        self._watch_failures(request, reply)
        return reply

    def _may_go_on(self) -> None:
        if self.stopped is None:
            used_up = self.budget.exceeded(self.tally)
            if used_up:
                self.stop(StoppedError(f"{used_up}; the same command goes on from here"))
        if self.stopped is not None:
            raise self.stopped.with_traceback(None)  # one exception, many askers: do not grow its traceback

    def _watch_failures(self, request: Request, reply: Reply) -> None:
        self._failures_in_a_row = self._failures_in_a_row + 1 if reply.error else 0
        if self._failures_in_a_row >= GIVE_UP_AFTER:
            self.stop(
                EndpointError(
                    f"{request.model}: the last {GIVE_UP_AFTER} calls failed, the latest with: {reply.error}; "
                    "every answer so far is kept, the same command goes on from here"
                )
            )


def revised(request: Request, revisions: Mapping[str, str]) -> Request:
    """Returns the request as the ledger knows it: with the revision of the model that answers it."""
    revision = revisions.get(request.model)
    return replace(request, revision=revision) if revision else request


def _apply(block: Callable[..., Any], args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return block(*args, **params)


async def _all(asks: Iterable[Awaitable[Reply]]) -> list[Reply]:
    """Returns every reply in order; when one cannot be had, the others still land before the error goes on."""
    replies: list[Reply] = []
    for result in await asyncio.gather(*asks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        replies.append(result)
    return replies


def _missing(request: Request, found: Mapping[int, Stored]) -> list[Request]:
    """Returns the smallest requests for the samples that are not there: one a contiguous run of indices."""
    if not found:
        return [request]
    parts: list[Request] = []
    start: int | None = None
    for index in range(request.first, request.first + request.n + 1):
        absent = index < request.first + request.n and index not in found
        if absent and start is None:
            start = index
        elif not absent and start is not None:
            parts.append(replace(request, first=start, n=index - start))
            start = None
    return parts


def from_ledger(found: Mapping[int, Stored]) -> Reply:
    """Returns the reply that stored answers make: sample index -> answer."""
    stored = [found[index] for index in sorted(found)]
    first = stored[0]
    return Reply(
        choices=tuple(item.choice for item in stored), prompt_tokens=first.prompt_tokens,
        cached_tokens=first.cached_tokens, cost=sum(item.cost for item in stored), latency_s=first.latency_s,
        from_ledger=len(stored), fingerprint=first.fingerprint,
    )  # fmt: skip


def _merged(found: Mapping[int, Stored], replies: list[Reply]) -> Reply:
    if not found and len(replies) == 1:
        return replies[0]
    choices: list[Choice] = [item.choice for item in found.values()]
    for reply in replies:
        choices.extend(reply.choices)
    errors = [reply.error for reply in replies if reply.error]
    return Reply(
        choices=tuple(sorted(choices, key=lambda choice: choice.index)),
        error=errors[0] if errors and not choices else None,
        prompt_tokens=max((reply.prompt_tokens for reply in replies), default=0),
        cached_tokens=sum(reply.cached_tokens for reply in replies),
        cost=sum(reply.cost for reply in replies) + sum(item.cost for item in found.values()),
        latency_s=max((reply.latency_s for reply in replies), default=0.0), from_ledger=len(found),
        fingerprint=replies[0].fingerprint if replies else "",
    )  # fmt: skip
