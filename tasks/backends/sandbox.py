"""A backend that runs programs: no network, no files but a scratch folder, bounded in everything.

Source: zygote processes (Android, Chromium); bubblewrap; seccomp(2); landlock(7).

A request of kind ``run`` holds the program in ``text`` and the rest in ``extra``:

    limits      cpu_s, wall_s, memory_mb, processes, output_bytes (of each stream), scratch_mb
    files       name -> text, put into the scratch folder, where the program starts
    stdin       text
    language    ``python``, the only one
    checker     a trusted program that talks to the judged one: it reads its output from descriptor 3, writes its input
                to descriptor 4 and its report (JSON) to descriptor 5; the judged program reads 3 and writes 4

The value of the one choice is ``{exit, signal, timed_out, oom, flooded, stdout, stderr, seconds, cpu_seconds, means}``
and, with a checker, ``report`` (null where it gave none) and ``checker_error``. ``exit`` is null when a signal ended
the program. Cut output ends in ``[N bytes cut]``. A program that could not be run is a reply with an error, never a
result.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import signal
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import EndpointError, UsageError, nearest
from schemas.exchange import Choice, Reply, Request
from tasks.backends.sandbox_files import remove, take
from tasks.backends.sandbox_guard import PATIENCE
from tasks.backends.sandbox_means import ENVIRONMENT, PROBE, PROBE_CHECKER, Means, available, command

log = logging.getLogger(__name__)

LIMITS: dict[str, float] = {
    "cpu_s": 10, "wall_s": 30, "memory_mb": 512, "processes": 32, "output_bytes": 65_536, "scratch_mb": 64,
}  # fmt: skip
OPTIONS = ("unsafe", "slots", "means")
KNOWN = ("limits", "files", "stdin", "language", "checker")
START_S, GRACE_S = 30.0, 20.0
STARVED = {
    "time": "the machine was too busy to run the program within its time",
    "memory": "the machine ran out of memory and ended the program",
}


class Sandbox:
    """Runs untrusted programs, several at a time, by the strongest means that this machine offers.

    Args:
        options: the same as text, as a SPEC has them (``sandbox?unsafe=1&slots=4``).
        unsafe: run even where nothing confines a program but CPU time and memory.
        slots: programs at once; as many as there are cores where not given.
        means: take this one only (a key of ``sandbox_means.NAMES``).

    Raises:
        UsageError: an option it does not have.
    """

    spec = "sandbox"

    def __init__(
        self, options: Mapping[str, str] | None = None, *, unsafe: bool = False, slots: int | None = None,
        means: str | None = None,
    ) -> None:  # fmt: skip
        given = dict(options or {})
        self._unsafe = given.pop("unsafe", "1" if unsafe else "0") in ("1", "true", "yes")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._slots = int(given.pop("slots", slots or cores or 2))
        self._wanted = given.pop("means", means)
        if given:
            raise UsageError(f"sandbox has no option {min(given)!r}; {nearest(min(given), OPTIONS)}")
        self._means: Means | None = None
        self._scratch: Path | None = None
        self._keeper = -1
        self._starting = asyncio.Lock()
        self._boxes: list[Box] = []
        self._free: asyncio.LifoQueue[Box] = asyncio.LifoQueue()

    @property
    def slots(self) -> int:
        """As many as there are boxes."""
        return self._slots

    async def start(self) -> dict[str, str]:
        """Finds the strongest means that holds a probe, and returns it with the interpreter's version.

        Raises:
            EndpointError: nothing here confines a program.
        """
        async with self._starting:
            if self._means is None:
                folder, self._keeper = await asyncio.to_thread(take)
                self._scratch = Path(folder)
                self._scratch.chmod(0o711)
                try:
                    self._means = await self._choose(self._scratch)
                except BaseException:
                    await self.close()
                    raise
                self._boxes = [Box(self._means, self._scratch / f"box{i}") for i in range(self._slots)]
                for box in self._boxes:
                    self._free.put_nowait(box)
        return {"backend": "sandbox", "python": platform.python_version(), "means": ", ".join(self._means.words)}

    async def _choose(self, scratch: Path) -> Means:
        found, missing = available(unsafe=self._unsafe)
        if self._wanted:
            found = [means for means in found if means.name == self._wanted]
        for means in found:
            box = Box(means, scratch / f"probe-{means.name}")
            try:
                fault = await _probe(box, scratch) if means.name != "none" else None
            except (OSError, EOFError, TimeoutError) as error:
                fault = str(error) or type(error).__name__
            finally:
                await box.kill()
            if fault is None:
                if means.name == "none":
                    log.warning("programs run unsandboxed: CPU time and memory are bounded, files and checkers open")
                return means
            missing.append(f"{means.name}: {fault}")
        raise EndpointError(
            "no means on this machine confines a program, and none is run unconfined unless you say sandbox?unsafe=1. "
            + "; ".join(missing)
        )

    async def answer(self, request: Request) -> Reply:
        """Runs the program once a sample; the choices' values are the results."""
        await self.start()
        assert self._means is not None
        try:
            job = _job(request)
        except UsageError as error:
            return Reply(error=str(error))
        choices, began = [], time.perf_counter()
        for index in range(request.first, request.first + request.n):
            result = await self._run(job)
            if isinstance(result, str):
                return Reply(error=result)
            result["means"] = self._means.words
            choices.append(Choice(index=index, text=result["stdout"], value=result))
        return Reply(tuple(choices), latency_s=time.perf_counter() - began)

    async def _run(self, job: list[dict[str, Any]]) -> dict[str, Any] | str:
        """Returns the result, or why there is none."""
        box = await self._free.get()
        try:
            result = await box.run(job)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            return f"the sandbox failed: {error or type(error).__name__}"
        finally:
            self._free.put_nowait(box)
        starved = result.pop("starved")
        return STARVED[starved] if starved else result

    async def close(self) -> None:
        """Ends every box and removes the scratch folders."""
        for box in self._boxes:
            await box.kill()
        if self._scratch is not None:
            await asyncio.to_thread(remove, str(self._scratch))
        if self._keeper >= 0:
            os.close(self._keeper)
            self._keeper = -1
        self._means, self._scratch, self._boxes, self._free = None, None, [], asyncio.LifoQueue()


class Box:
    """One fork server: one program at a time. Starts on first use, and again after it was killed."""

    def __init__(self, means: Means, scratch: Path) -> None:
        self.means = means
        self._scratch = scratch
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, job: list[dict[str, Any]]) -> dict[str, Any]:
        """Runs one job and returns its result.

        Raises:
            OSError, EOFError, TimeoutError, ValueError: the box failed; it is gone, and the next call starts another.
        """
        try:
            async with asyncio.timeout(PATIENCE * job[0]["wall_s"] + START_S + GRACE_S):
                if self._process is None:
                    await self._start()
                process = self._process
                assert process is not None
                assert process.stdin is not None
                for frame in job:
                    data = orjson.dumps(frame)
                    process.stdin.write(struct.pack("=I", len(data)) + data)
                await process.stdin.drain()
                return await self._read()
        except BaseException:
            await self.kill()
            raise

    async def _start(self) -> None:
        self._scratch.mkdir(exist_ok=True)
        if self.means.uid is not None and self.means.name != "namespaces":
            os.chown(self._scratch, self.means.uid, self.means.uid)
        pipe = asyncio.subprocess.PIPE
        words = command(self.means, self._scratch)
        self._process = await asyncio.create_subprocess_exec(
            *words, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT | {"PATH": os.environ.get("PATH", "")},
            start_new_session=True,
        )  # fmt: skip
        await self._read()

    async def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            (size,) = struct.unpack("=I", await self._process.stdout.readexactly(4))
            value: dict[str, Any] = orjson.loads(await self._process.stdout.readexactly(size))
        except asyncio.IncompleteReadError:
            said = (await self._process.stderr.read(4096)).decode(errors="replace").strip()
            raise EOFError(said or "the box ended") from None
        return value

    async def kill(self) -> None:
        """Ends the box with everything in it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()
        await asyncio.to_thread(remove, str(self._scratch))


def _job(request: Request) -> list[dict[str, Any]]:
    """Returns the frames of a request.

    Raises:
        UsageError: it is not one a sandbox can answer.
    """
    extra = request.extra
    if request.kind != "run" or request.text is None:
        raise UsageError(f"a sandbox answers requests of kind 'run' that have a text, found kind {request.kind!r}")
    unknown = sorted(set(extra) - set(KNOWN))
    if unknown:
        raise UsageError(f"a sandbox does not know {unknown[0]!r}; it knows {', '.join(KNOWN)}")
    if extra.get("language", "python") != "python":
        raise UsageError(f"a sandbox runs python, found language {extra['language']!r}")
    limits = dict(extra.get("limits") or {})
    for name, value in limits.items():
        if name not in LIMITS or not isinstance(value, int | float) or value <= 0:
            raise UsageError(f"limit {name}={value!r}: the limits are {', '.join(LIMITS)}, each above zero")
    frames = [{**LIMITS, **limits, "checker": "checker" in extra}]
    frames.append({"text": request.text, "files": extra.get("files") or {}, "stdin": extra.get("stdin") or ""})
    return [*frames, {"text": extra["checker"]}] if "checker" in extra else frames


async def _probe(box: Box, scratch: Path) -> str | None:
    """Returns what a program in this box could reach that it must not, or null where it is contained."""
    secret, outside = scratch / "secret", scratch / "outside"
    await asyncio.to_thread(secret.write_text, "secret")
    await asyncio.to_thread(outside.touch)
    text = PROBE % {"secret": str(secret), "outside": str(outside), "parent": os.getpid()}
    for path in (secret, outside):
        path.chmod(0o666)
    job: list[dict[str, Any]] = [
        {**LIMITS, "checker": True},
        {"text": text, "files": {}, "stdin": ""},
        {"text": PROBE_CHECKER},
    ]
    result = await box.run(job)
    reached, end, _ = result["stdout"].partition(" and no more")
    if not end:
        return f"the probe failed: {result['stderr'].strip()[-300:]}"
    return f"a program could reach {reached}" if reached else None
