"""The guard of one program: starts it, reads what it prints, counts what it uses, ends it. Standard library only.

Source: pid_namespaces(7): the first process of a pid namespace cannot be signalled from within, and takes all with it.

Where there are two processes, the program and a trusted checker, the two talk through pipes and only the checker holds
the pipe for the report. The program is forked before the checker's text is read, so that nothing of the tests is ever
in the program's memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from tasks.backends import sandbox_files, sandbox_kernel, sandbox_program
from tasks.backends.sandbox_frames import read_frame

TICK_S, FLOOD_FACTOR, REPORT_BYTES = 0.02, 256, 4 << 20
PATIENCE = 4  # on a busy machine a program may stay this many times wall_s, as long as it waits for a core
TOTAL_CPU_FACTOR = 2  # a job of many processes may use this many times cpu_s in all; each alone is held to cpu_s
SLACK_MB = 96  # the warm interpreter's own pages, counted again in every fork


@dataclass
class Stream:
    """One pipe being read: keeps the first ``limit`` bytes and counts the rest."""

    descriptor: int
    limit: int
    kept: bytearray = field(default_factory=bytearray)
    seen: int = 0
    open: bool = True

    def read(self) -> None:
        """Reads what is there, once."""
        try:
            part = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return
        self.open = bool(part)
        self.seen += len(part)
        self.kept += part[: max(0, self.limit - len(self.kept))]

    def text(self) -> str:
        """Returns what was kept, with a mark where something was cut."""
        cut = self.seen - len(self.kept)
        return self.kept.decode("utf-8", "replace") + (f"\n[{cut} bytes cut]" if cut else "")


@dataclass
class Watch:
    """What is known of the processes of one job."""

    apart: bool
    proc: int
    program: int = 0
    checker: int = 0
    before: frozenset[str] = frozenset()
    ended: dict[int, tuple[int, float]] = field(default_factory=dict)  # pid -> status, CPU seconds
    starved_s: float = 0.0  # longest time a process was ready to run and no core was free

    def reap(self, *, block: bool = False) -> None:
        """Takes note of every process that ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, 0 if block else os.WNOHANG)
                if not pid:
                    return
                self.ended[pid] = (status, usage.ru_utime + usage.ru_stime)

    def kill(self) -> None:
        """Ends every process of the job and waits for the last."""
        while True:
            with contextlib.suppress(ProcessLookupError):
                if self.apart:
                    os.kill(-1, signal.SIGKILL)  # all of this pid namespace but its first process
                else:
                    for pid in (self.program, self.checker):
                        if pid and pid not in self.ended:
                            os.kill(pid, signal.SIGKILL)
            self.reap(block=not self.apart)
            if not self._left():
                return
            time.sleep(0.001)

    def _left(self) -> bool:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def memory_mb(self) -> float:
        """Returns the resident memory of all processes of the job together; shared pages count once."""
        if self.proc < 0:
            return 0.0
        pids = self._pids()
        total = sum(self._resident(pid) for pid in pids)
        return total if len(pids) < 2 else min(total, sum(self._proportional(pid) for pid in pids))

    def starve(self) -> None:
        """Takes note of how long a lone process waited for a core; several keep each other waiting."""
        pids = self._pids() if self.proc >= 0 else []
        if len(pids) <= (2 if self.checker else 1):
            waits = [self._read(pid, "schedstat").split() for pid in pids]
            self.starved_s = max((int(words[1]) / 1e9 for words in waits if len(words) > 1), default=0.0)

    def cpu_s(self) -> float:
        """Returns the CPU seconds of all processes that are there, and of the children they waited for."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = [self._read(pid, "stat").rpartition(")")[2].split() for pid in self._pids()] if self.proc >= 0 else []
        return sum(sum(int(word) for word in words[11:15]) for words in stats if len(words) > 15) / tick

    def _pids(self) -> list[str]:
        if not self.apart:
            return [str(pid) for pid in (self.program, self.checker) if pid and pid not in self.ended]
        return [name for name in os.listdir(self.proc) if name.isdigit() and name not in self.before]

    def _read(self, pid: str, name: str) -> str:
        try:
            descriptor = os.open(f"{pid}/{name}", os.O_RDONLY, dir_fd=self.proc)
        except OSError:
            return ""
        try:
            return os.read(descriptor, 4096).decode()
        except OSError:
            return ""
        finally:
            os.close(descriptor)

    def _resident(self, pid: str) -> float:
        words = self._read(pid, "statm").split()
        return int(words[1]) * 4096 / 1e6 if words else 0.0

    def _proportional(self, pid: str) -> float:
        for line in self._read(pid, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1e3
        return self._resident(pid)


def guard(config: dict[str, Any], limits: dict[str, Any], scratch: str, proc: int, send: int) -> None:
    """Runs one job, writes its answer to ``send`` and never returns."""
    try:
        if sys.platform == "linux":
            sandbox_kernel.hide()
        write_all(send, json.dumps(_run(config, limits, scratch, proc)).encode())
        os._exit(0)
    except (OSError, ValueError, KeyError, TypeError) as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _run(config: dict[str, Any], limits: dict[str, Any], scratch: str, proc: int) -> dict[str, Any]:
    job = read_frame(0)
    watch = Watch(config["mode"] in ("bwrap", "namespaces"), proc)
    if watch.apart:
        watch.before = frozenset(name for name in os.listdir(proc) if name.isdigit())
    stdin = sandbox_program.prepare(job, scratch)
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    to_program, from_checker = os.pipe()
    to_checker, from_program = os.pipe()
    ready, ready_end = os.pipe()
    watch.program = os.fork()
    if not watch.program:
        channel = (to_program, from_program) if limits["checker"] else ()
        descriptors = (stdin, out_end, err_end, *channel, ready_end)
        sandbox_program.start(job["text"], config, limits, scratch, descriptors)
    if not sandbox_program.await_ready(ready, ready_end):
        raise OSError("the program was killed before it started")
    start = time.monotonic()
    os.close(out_end)
    os.close(err_end)
    streams = [Stream(out, limits["output_bytes"]), Stream(err, limits["output_bytes"])]
    if limits["checker"]:
        checker = read_frame(0)
        report, report_end = os.pipe()
        faults, faults_end = os.pipe()
        ready, ready_end = os.pipe()
        watch.checker = os.fork()
        if not watch.checker:
            descriptors = (stdin, faults_end, faults_end, to_checker, from_checker, report_end, ready_end)
            sandbox_program.start_checker(checker["text"], config, limits, descriptors)
        sandbox_program.await_ready(ready, ready_end)  # the program may have killed it: then there is no report
        os.close(report_end)
        os.close(faults_end)
        streams += [Stream(report, REPORT_BYTES), Stream(faults, 4096)]
    for descriptor in (to_program, from_program, to_checker, from_checker):
        os.close(descriptor)
    why = _watch(watch, limits, streams, start, "" if watch.apart else scratch)
    return _answer(watch, limits, streams, why, time.monotonic() - start)


def _watch(watch: Watch, limits: dict[str, Any], streams: list[Stream], start: float, scratch: str) -> str:
    """Waits for the end and returns what brought it about: "", ``wall``, ``cpu``, ``memory`` or ``flood``.

    Args:
        scratch: the folder to look at now and then where it is no mount of its own with a size.
    """
    last = watch.checker or watch.program
    poll = select.poll()
    for stream in streams:
        os.set_blocking(stream.descriptor, False)
        poll.register(stream.descriptor, select.POLLIN)
    by_descriptor = {stream.descriptor: stream for stream in streams}
    why, looked, weighed = "", start, start
    while last not in watch.ended and not why:
        for descriptor, _ in poll.poll(TICK_S * 1000 / 4 if time.monotonic() - start < 0.1 else TICK_S * 1000):
            stream = by_descriptor[descriptor]
            stream.read()
            if not stream.open:
                poll.unregister(descriptor)
            if stream.seen > limits["output_bytes"] * FLOOD_FACTOR and stream in streams[:2]:
                why = "flood"
        watch.reap()
        now = time.monotonic()
        if now - start - watch.starved_s > limits["wall_s"]:
            watch.starve()  # time without a core is not the program's
            if now - start > limits["wall_s"] + min(watch.starved_s, (PATIENCE - 1) * limits["wall_s"]):
                why = "wall"
        if now - looked > TICK_S:
            looked = now
            if watch.memory_mb() > limits["memory_mb"] + SLACK_MB:
                why = "memory"
            elif watch.cpu_s() > TOTAL_CPU_FACTOR * limits["cpu_s"] + 1:
                why = "cpu"
        if scratch and now - weighed > 5 * TICK_S:
            why = "flood" if sandbox_files.exceeds(scratch, limits["scratch_mb"]) else why
            weighed = time.monotonic()
    killed = last not in watch.ended
    watch.kill()
    for stream in streams:
        while stream.open and stream.seen <= stream.limit * FLOOD_FACTOR:
            before = stream.seen
            stream.read()
            if stream.seen == before:
                break
    return why if killed else ""


def _answer(watch: Watch, limits: dict[str, Any], streams: list[Stream], why: str, seconds: float) -> dict[str, Any]:
    status, cpu = watch.ended.get(watch.program, (0, 0.0))
    code = os.waitstatus_to_exitcode(status)
    spent = code == -signal.SIGXCPU or (code == -signal.SIGKILL and cpu >= limits["cpu_s"])
    stdout, stderr = streams[0].text(), streams[1].text()
    answer: dict[str, Any] = {
        "exit": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "timed_out": why in ("wall", "cpu") or spent,
        "oom": why == "memory" or (code == 1 and stderr.rstrip().rsplit("\n", 1)[-1].startswith("MemoryError")),
        "flooded": why == "flood",
        "stdout": stdout,
        "stderr": stderr,
        "starved": why == "wall" and watch.starved_s >= (PATIENCE - 1) * limits["wall_s"],
        "seconds": round(seconds, 4),
        "cpu_seconds": round(cpu, 4),
    }
    if watch.checker:
        answer["report"] = _report(streams[2])
        answer["checker_error"] = streams[3].text()
    return answer


def _report(stream: Stream) -> Any:
    try:
        return json.loads(stream.kept) if stream.kept and stream.seen == len(stream.kept) else None
    except ValueError:
        return None
