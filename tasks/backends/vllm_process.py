"""One engine process: a process group of its own, a port, a log, signs of life."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

from tasks.backends import vllm_log as log
from tasks.backends.http import Client, TransportError

_TOKENS = re.compile(rb"^vllm:(?:prompt|generation)_tokens_total\S*\s+(\S+)", re.M)
_WORK = re.compile(rb"^vllm:num_requests_(?:running|waiting)\S*\s+(\S+)", re.M)


class Health(NamedTuple):
    """Whether an engine says that it is well, what it said instead, and whether it was only slow to say anything."""

    well: bool
    what: str = ""
    late: bool = False


class Process:
    """An engine and everything it started.

    Attributes:
        ended: exit status, null while it runs. port: it listens there.
    """

    def __init__(self, command: list[str], environment: dict[str, str], port: int, file: Path) -> None:
        self.port, self._file = port or free_port(), file
        self._command = [*command, "--port", str(self.port)]
        self._environment = environment
        self._client = Client(f"http://127.0.0.1:{self.port}")
        self._process: asyncio.subprocess.Process | None = None
        self._waiter: asyncio.Task[int] | None = None
        self._offset, self._read = 0, 0
        self._oom_kills = 0
        self._progress: tuple[tuple[float, ...], float] = ((), 0.0)

    @property
    def url(self) -> str:
        """The base URL of its OpenAI routes."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def group(self) -> int:
        """The id of its process group; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def ended(self) -> int | None:
        """Its exit status; null while it runs."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Starts it; what it prints is appended to its log.

        Raises:
            OSError: the interpreter cannot be run.
        """
        self._offset = self._read = self._file.stat().st_size if self._file.exists() else 0
        self._oom_kills = _oom_kills()
        with self._file.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, env=os.environ | self._environment,
            )  # fmt: skip
        self._waiter = asyncio.create_task(self._process.wait())

    async def wait(self, seconds: float) -> bool:
        """Returns whether it ended within so many seconds."""
        assert self._waiter is not None
        await asyncio.wait({self._waiter}, timeout=seconds)
        return self.ended is not None

    async def health(self, timeout_s: float) -> Health:
        """Returns what it says of itself."""
        try:
            response = await self._client.get("/health", timeout_s)
        except TransportError as error:
            return Health(False, f"its health check fails: {error}", late=error.failure == "timeout")
        return Health(response.status == 200, f"its health check answers HTTP {response.status}")

    async def version(self) -> str:
        """Returns the engine's version, or nothing."""
        with contextlib.suppress(TransportError):
            response = await self._client.get("/version", 10.0)
            if found := re.search(rb'"version"\s*:\s*"([^"]+)"', response.body):
                return found[1].decode()
        return ""

    async def stalled_s(self) -> float:
        """Returns for how long it has had work and not made a token of it; 0 where its metrics do not tell."""
        try:
            body = (await self._client.get("/metrics", 10.0)).body
        except TransportError:
            return 0.0
        made = tuple(float(number) for number in _TOKENS.findall(body))
        busy = any(float(number) > 0 for number in _WORK.findall(body))
        now = time.monotonic()
        if not made or not busy or made != self._progress[0]:
            self._progress = (made, now)
        return now - self._progress[1]

    def new_stages(self) -> list[str]:
        """Returns what its log has said about its start since the last call."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        found = (log.stage(line) for line in re.split(r"[\r\n]", whole.decode(errors="replace")))
        return list(dict.fromkeys(stage for stage in found if stage))

    def dtype(self) -> str:
        """Returns the number format it computes in, or nothing."""
        return log.dtype(self._file)

    def epitaph(self) -> tuple[str, str, list[str]]:
        """Returns how it ended, what to do about it (or nothing), and the relevant lines of its log."""
        lines = log.tail(self._file, self._offset)
        status = self.ended
        how = "it ended" if status is None else f"ended with exit status {status}"
        if status is not None and status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
        return how, log.advice(lines, killed_for_memory=_oom_kills() > self._oom_kills), log.relevant(lines)

    async def stop(self, grace_s: float = 10.0) -> None:
        """Ends it and all that it started: asked first, killed when it does not."""
        if not self.group:
            return
        if self.ended is None and grace_s:
            _signal(self.group, signal.SIGTERM)
            await self.wait(grace_s)
        end = time.monotonic() + 10.0
        while alive(self.group) and time.monotonic() < end:
            _signal(self.group, signal.SIGKILL)
            await self.wait(0.05)
            await asyncio.sleep(0.02)
        await self._client.close()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def alive(group: int) -> bool:
    """Whether a process of the group still runs (one that has ended and was not waited for does not)."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                state, _, pgrp = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[:3]
                if int(pgrp) == group and state not in "ZX":
                    return True
    return False


def free_port() -> int:
    """Returns a port of this machine on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _oom_kills() -> int:
    """Returns how many processes the kernel has ended for want of memory since it started."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("oom_kill ")).split()[1])
    return 0
