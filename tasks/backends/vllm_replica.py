"""Keeps one engine alive: starts it, watches it, starts it again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tasks.backends.vllm_launch import Launch, signature
from tasks.backends.vllm_log import errors
from tasks.backends.vllm_process import Process

log = logging.getLogger(__name__)
LOOK_S = 2.0
START_LOOK_S = 0.25
STALL_LOOK_S = 15.0
DOUBT = 3
"""So many health checks in a row without an answer mean a hang; a refused one counts as two."""


class Failed(Exception):
    """Starting the engine again makes no sense; the message tells the user why and what to do."""


class Undertaker(Protocol):
    """Is told which process groups exist, and ends them when the keeper no longer can."""

    def born(self, group: int) -> None:
        """Notes a process group."""
        ...

    def buried(self, group: int) -> None:
        """Forgets it."""
        ...


class Replica:
    """One of the engines of a launch.

    Attributes:
        ready: whether it answers. crashes: how often it ended that was not asked to. stage: how far its start is.
        suspect: set when somebody doubts that it is well.
    """

    def __init__(
        self, launch: Launch, number: int, home: Path, undertaker: Undertaker, tell: Callable[[], None]
    ) -> None:
        self.launch, self.number, self._tell, self._undertaker = launch, number, tell, undertaker
        self.file = home / f"replica-{number}.log"
        self.ready, self.crashes, self.stage, self.version, self.dtype = False, 0, "", "", ""
        self.suspect = asyncio.Event()
        self._recent: deque[float] = deque()
        self._was_ready = False
        self.process = self._new(launch.ports[number])

    @property
    def url(self) -> str:
        """Its base URL."""
        return self.process.url

    def _new(self, port: int) -> Process:
        return Process(self.launch.command, self.launch.environments[self.number], port, self.file)

    async def keep(self) -> None:
        """Keeps it alive.

        Raises:
            Failed: it did not start the first time, or it ended more often than is allowed.
        """
        while True:
            try:
                await self.process.start()
            except OSError as error:
                raise Failed(f"{self.launch.spec}: {self.launch.command[0]} cannot be run: {error}") from error
            self._undertaker.born(self.process.group)
            why = await self._until_ready()
            if why is None:
                self.version, self.dtype = await self.process.version(), self.process.dtype()
                self.ready = self._was_ready = True
                self._say("ready")
                why = await self._until_gone()
            self.ready = False
            await self.end(0.0)
            self._count(why)
            await asyncio.sleep(min(10.0, 0.5 * 2 ** len(self._recent)))
            self._renew()

    async def end(self, grace_s: float = 10.0) -> None:
        """Ends the process and all that it started."""
        if self.process.group:
            await self.process.stop(grace_s)
            self._undertaker.buried(self.process.group)

    async def well(self) -> bool:
        """Whether it answers now; when not, it is looked at more closely."""
        if not self.ready:
            return False
        if self.process.ended is None and (await self.process.health(self.launch.health_s)).well:
            return True
        self.suspect.set()
        return False

    async def _until_ready(self) -> str | None:
        began = time.monotonic()
        while time.monotonic() - began < self.launch.start_s:
            if await self.process.wait(START_LOOK_S):
                return "while it started"
            for stage in self.process.new_stages():
                self._say(stage)
            if (await self.process.health(5.0)).well and self.process.ended is None:
                return None
        return f"was not ready after {self.launch.start_s:.0f} s (start_s= allows more)"

    async def _until_gone(self) -> str:
        doubts, looked = 0, time.monotonic()
        while True:
            waiting = [asyncio.create_task(self.suspect.wait()), asyncio.create_task(self.process.wait(LOOK_S))]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            self.suspect.clear()
            if self.process.ended is not None:
                return ""
            health = await self.process.health(self.launch.health_s)
            doubts = 0 if health.well else doubts + (1 if health.late else 2)
            if doubts >= DOUBT:
                return f"showed no sign of life: {health.what}"
            if not health.well:
                self.suspect.set()  # look again soon
                await self.process.wait(0.3)
            elif time.monotonic() - looked > min(STALL_LOOK_S, self.launch.stall_s / 4):
                looked = time.monotonic()
                if await self.process.stalled_s() > self.launch.stall_s:
                    return f"had work and made no token of it for {self.launch.stall_s:.0f} s (stall_s= allows more)"

    def _count(self, why: str) -> None:
        """Notes a crash.

        Raises:
            Failed: that was one too many, or it never started at all.
        """
        how, advice, lines = self.process.epitaph()
        what = f"the engine {why if ' s ' in why or ':' in why else f'{how} {why}'.strip()}"
        story = "".join(f"\n    {line}" for line in lines)
        todo = f". What helps: {advice}" if advice else ""
        told = f"{self.launch.spec}: {what}{todo}. From its log ({self.file}):{story}"
        if not self._was_ready and "address already in use" not in told.lower():
            raise Failed(told)
        self.crashes += 1
        now = time.monotonic()
        self._recent.append(now)
        while now - self._recent[0] > self.launch.window_s:
            self._recent.popleft()
        if len(self._recent) > self.launch.restarts:
            raise Failed(f"{told}\nThat was crash {len(self._recent)} within {self.launch.window_s:.0f} s, and "
                         f"{self.launch.restarts} are mended (restarts=); every answer so far is kept")  # fmt: skip
        first = "".join(f" ({line})" for line in errors(lines, most=1))
        self._say(f"{what}{first}{todo}; starting it again. Its log is {self.file}")

    def _renew(self) -> None:
        """Makes the process that comes next; on its old port, unless somebody else took that.

        Raises:
            Failed: the checkpoint is another one by now.
        """
        folder = self.launch.folder
        if folder and signature(folder) != self.launch.signature:
            raise Failed(f"{self.launch.spec}: files in {folder} were changed while it was served; starting it again "
                         "would serve another model under the same name. Run the command again")  # fmt: skip
        taken = any("ddress already in use" in line for line in self.process.epitaph()[2])
        self.process = self._new(self.launch.ports[self.number] if taken else self.process.port)

    def _say(self, stage: str) -> None:
        self.stage = stage
        log.info("replica %d: %s", self.number, stage)
        self._tell()
