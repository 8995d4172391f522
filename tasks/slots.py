"""Who may ask now: as many requests as the backends have slots, oldest prompt first."""

from __future__ import annotations

import asyncio
import heapq

from tasks.backends.base import Backend
from tasks.spending import Tally

Order = tuple[int, int]
"""Where a prompt stands in the run: what stands first goes first where slots are short."""


class Gate:
    """Lets as many requests through as the backend has slots, oldest prompt first, so that prompts finish."""

    def __init__(self, backends: list[Backend], tally: Tally, wake: asyncio.Event) -> None:
        self.backends, self.tally, self.wake = backends, tally, wake
        self.inside = 0
        self._queue: list[tuple[Order, int, asyncio.Future[None]]] = []
        self._tickets = 0

    @property
    def slots(self) -> int:
        """How many requests may be in flight now."""
        if len(self.backends) == 1:  # asked several times a call
            return self.backends[0].slots
        return max(backend.slots for backend in self.backends)

    @property
    def waiting(self) -> int:
        """How many requests have no slot yet."""
        return len(self._queue)

    @property
    def hungry(self) -> bool:
        """Whether so little waits that the backend may soon have nothing to do."""
        return len(self._queue) < 16 + self.slots // 8

    async def enter(self, order: Order) -> None:
        """Waits for a slot."""
        if self.inside < self.slots and not self._queue:
            self.inside += 1
            return
        future = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heapq.heappush(self._queue, (order, self._tickets, future))
        self.tally.waiting += 1
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave()
            raise
        finally:
            self.tally.waiting -= 1

    def leave(self) -> None:
        """Gives the slot back, and lets in whoever fits."""
        self.inside -= 1
        self.admit()
        if self.hungry:
            self.wake.set()

    def admit(self) -> None:
        """Lets in waiting requests while there are slots."""
        while self._queue and self.inside < self.slots:
            _, _, future = heapq.heappop(self._queue)
            if not future.done():
                self.inside += 1
                future.set_result(None)
