"""Several base URLs that serve one model: who is healthy, and who has the fewest calls in flight."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from schemas.exchange import Request
from tasks.backends.http import Client, TransportError

log = logging.getLogger(__name__)
EJECT_AFTER = 3
"""So many failures in a row, and a replica gets no calls until it answers a health check."""
CHECK_S = (0.5, 10.0)
SLACK = 4
"""A question goes to the replica that saw its start before unless that one has this many more calls in flight."""


class Replica:
    """One base URL."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url, self.client = url, Client(url, headers)
        self.in_flight, self.failures, self.healthy = 0, 0, True


class Replicas:
    """Picks a replica for each call, ejects those that fail, takes them back when they answer again."""

    def __init__(self, urls: Sequence[str], headers: dict[str, str]) -> None:
        self.all = [Replica(url, headers) for url in urls]
        self._checks: dict[str, asyncio.Task[None]] = {}

    def pick(self, affinity: int, avoid: Replica | None = None) -> Replica:
        """Returns the replica for a call.

        Args:
            affinity: the same number for calls that share a start, whose cached prefix one replica has.
            avoid: the one that has just failed.
        """
        if len(self.all) == 1:
            return self.all[0]
        able = [replica for replica in self.all if replica.healthy] or self.all
        able = [replica for replica in able if replica is not avoid] or able
        least = min(able, key=lambda replica: replica.in_flight)
        home = able[affinity % len(able)]
        return home if home.in_flight <= least.in_flight + SLACK else least

    def succeeded(self, replica: Replica) -> None:
        """Takes note of an answer; one that is ejected comes back by its health check alone."""
        replica.failures = 0

    def failed(self, replica: Replica, *, gone: bool = False) -> None:
        """Takes note of a failure; ``gone`` (nobody listens) ejects at once. A single replica is never ejected."""
        replica.failures += 1
        if len(self.all) == 1 or not (gone or replica.failures >= EJECT_AFTER):
            return
        if replica.healthy:
            log.warning("%s fails and gets no calls until it answers again", replica.url)
        replica.healthy = False
        if replica.url not in self._checks:
            self._checks[replica.url] = asyncio.create_task(self._watch(replica), name=f"health {replica.url}")

    def others(self, replica: Replica) -> bool:
        """Whether another one is healthy."""
        return any(other.healthy for other in self.all if other is not replica)

    async def _watch(self, replica: Replica) -> None:
        pause, longest = CHECK_S
        try:
            while not replica.healthy:
                await asyncio.sleep(pause)
                pause = min(longest, 1.5 * pause)
                if await reachable(replica) is None:
                    replica.healthy, replica.failures = True, 0
                    log.info("%s answers again", replica.url)
        finally:
            del self._checks[replica.url]

    async def close(self) -> None:
        """Stops the checks and closes every connection."""
        checks = list(self._checks.values())
        for check in checks:
            check.cancel()
        for check in checks:
            with contextlib.suppress(asyncio.CancelledError):
                await check
        for replica in self.all:
            await replica.client.close()


async def reachable(replica: Replica, timeout_s: float = 5.0) -> str | None:
    """Returns why a replica does not answer, or null when it does (whatever it says about ``/models``)."""
    try:
        response = await replica.client.get("/models", timeout_s)
    except TransportError as error:
        return str(error)
    return f"HTTP {response.status}" if response.status >= 500 else None


def affinity_of(request: Request) -> int:
    """Returns a number that calls with the same start share."""
    start = request.text if request.text is not None else next(iter(request.messages), {}).get("content")
    if request.messages and request.messages[0].get("role") == "system" and len(request.messages) > 1:
        start = request.messages[1].get("content")
    return hash(start) if isinstance(start, str) else 0
