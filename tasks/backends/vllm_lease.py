"""A user's hold on a managed engine: finds its keeper or starts one, and hears from it how things stand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import EndpointError
from storage.locks import locked
from tasks.backends.vllm_keeper import SOCKET
from tasks.backends.vllm_launch import Launch, tidy
from tasks.backends.vllm_options import ROOT

log = logging.getLogger(__name__)
KEEPER_S = 90.0
"""An earlier keeper may still be ending its engines; a new one waits for that."""
STOP_S = 45.0
AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class State:
    """What the keeper last said.

    Attributes:
        urls, ready, stages: of each replica. crashes: of all together, those mended. groups: their process groups.
        hashes: of the model; null while they are worked out.
    """

    urls: list[str] = field(default_factory=list)
    ready: list[bool] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    hashes: dict[str, str] | None = None
    crashes: int = 0
    version: str = ""
    dtype: str = ""
    keeper: int = 0


class Lease:
    """Holds an engine for as long as it is open, or this process lives.

    Args:
        changed: called after each change of the state.
    """

    def __init__(self, launch: Launch, changed: Callable[[], None]) -> None:
        self.launch, self._changed = launch, changed
        self.home = launch.home()
        self.state, self.failed = State(), ""
        self._earlier = 0  # crashes that keepers before this one told of, and the ends of those keepers
        self._keepers: deque[float] = deque()
        self._news, self._closing = asyncio.Condition(), False
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._check: asyncio.Task[bool] | None = None
        self._checked: dict[int, asyncio.Future[int]] = {}

    @property
    def crashes(self) -> int:
        """How often an engine, or its keeper, had to be started again so far."""
        return self._earlier + self.state.crashes

    async def open(self) -> None:
        """Takes hold of the engine; it may still be starting (``ready`` waits for that)."""
        reader = await self._connect()
        self._listener = asyncio.create_task(self._listen(reader), name=f"keeper of {self.launch.spec}")

    async def ready(self) -> State:
        """Waits until an engine answers and the model's hashes are known, and returns the state.

        Raises:
            EndpointError: it cannot be started, or does not stay.
        """
        if not self._is_ready():
            async with self._news:
                await self._news.wait_for(lambda: self.failed or self._is_ready())
        if self.failed:
            raise EndpointError(self.failed)
        return self.state

    def _is_ready(self) -> bool:
        return any(self.state.ready) and self.state.hashes is not None

    async def disturbed(self, since: int) -> bool:
        """Returns whether an engine was not well since a count of crashes, after waiting until one is again.

        Raises:
            EndpointError: it does not stay.
        """
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._look())
        ill = await asyncio.shield(self._check)
        await self.ready()
        return ill or self.crashes > since

    async def _look(self) -> bool:
        """Has every engine looked at until one is well; returns whether any was not."""
        ill = False
        while not self.failed:
            number = max(self._checked, default=0) + 1
            answer = self._checked[number] = asyncio.get_running_loop().create_future()
            if not self._say({"check": number}):
                answer.set_result(0)
            try:
                well = await answer
            finally:
                del self._checked[number]
            ill = ill or well < len(self.state.ready)
            if well:
                break
            await asyncio.sleep(AGAIN_S)
        return ill

    def _say(self, message: dict[str, Any]) -> bool:
        """Tells the keeper something; returns whether there is one."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(orjson.dumps(message) + b"\n")
        return True

    async def _connect(self) -> asyncio.StreamReader:
        held = await asyncio.to_thread(_connected, self.launch, self.home)
        reader, self._writer = await asyncio.open_unix_connection(sock=held)
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hears the keeper out; starts another one where it died."""
        while True:
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    await self._hear(orjson.loads(line))
            if self._closing or self.failed:
                return
            await self._lost()
            if self.failed:
                return
            try:
                reader = await self._connect()
            except EndpointError as error:
                await self._hear({"failed": str(error)})
                return

    async def _lost(self) -> None:
        """Takes note that the keeper is gone; one that we never heard was on its way out when we came."""
        if self._writer is not None:
            self._writer.close()
        if self.state.keeper:
            log.warning("%s: the engine's keeper is gone; starting another", self.launch.spec)
            self._earlier += 1
        self._earlier, self.state = self.crashes, State()
        now = time.monotonic()
        self._keepers.append(now)
        while now - self._keepers[0] > self.launch.window_s:
            self._keepers.popleft()
        if len(self._keepers) > self.launch.restarts:
            await self._hear({"failed": f"{self.launch.spec}: the engine's keeper ended {len(self._keepers)} times "
                              f"within {self.launch.window_s:.0f} s; its log: {self.home / 'keeper.log'}"})  # fmt: skip
            return
        for answer in self._checked.values():
            if not answer.done():
                answer.set_result(0)
        self._changed()

    async def _hear(self, said: dict[str, Any]) -> None:
        if "failed" in said:
            self.failed = said["failed"]
        if "state" in said:
            before, self.state = self.state.stages, State(**said["state"])
            for number, stage in enumerate(self.state.stages):
                if stage and before[number : number + 1] != [stage]:
                    which = f" (replica {number})" if len(self.state.stages) > 1 else ""
                    log.log(
                        logging.WARNING if "again" in stage else logging.INFO,
                        "%s%s: %s",
                        self.launch.spec,
                        which,
                        stage,
                    )
        if "checked" in said and (answer := self._checked.get(said["checked"])) and not answer.done():
            answer.set_result(said["well"])
        if self.failed:
            for waiting in self._checked.values():
                if not waiting.done():
                    waiting.set_result(0)
        async with self._news:
            self._news.notify_all()
        self._changed()

    async def close(self) -> None:
        """Lets go; when nobody else holds the engine, waits until it is gone, so that its memory is free."""
        self._closing = True
        self._say({"bye": True})
        if self._listener is not None:
            done, _ = await asyncio.wait({self._listener}, timeout=STOP_S)
            if not done:
                log.warning("%s: the engine has not ended within %.0f s; see %s", self.launch.spec, STOP_S, self.home)
                self._listener.cancel()
        if self._check is not None:
            self._check.cancel()
        if self._writer is not None:
            self._writer.close()


def _connected(launch: Launch, home: Path) -> socket.socket:
    """Returns a connection to the keeper, which is started where there is none.

    Raises:
        EndpointError: it does not start.
    """
    home.mkdir(mode=0o700, exist_ok=True)
    with locked(home / "start.lock", timeout_s=KEEPER_S + 10):
        if (found := _try(home)) is not None:
            return found
        tidy(home.parent)
        launch.write(home)
        log.info("%s: starting the engine; its log is %s", launch.spec, home / "replica-0.log")
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with (home / "keeper.log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tasks.backends.vllm_keeper", str(home)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True, cwd="/",
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            )  # fmt: skip
        end = time.monotonic() + KEEPER_S
        while time.monotonic() < end and process.poll() is None:
            if (found := _try(home)) is not None:
                threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie behind
                return found
            time.sleep(0.05)
    process.kill()
    last = (home / "keeper.log").read_text(errors="replace")[-600:]
    raise EndpointError(f"{launch.spec}: the engine's keeper did not start within {KEEPER_S:.0f} s: {last}")


def _try(home: Path) -> socket.socket | None:
    found = socket.socket(socket.AF_UNIX)
    try:
        found.connect(str(home / SOCKET))
    except OSError:
        found.close()
        return None
    return found
