"""The guard of one program: starts it, reads what it prints, counts what it uses, ends it. Standard library only.

Source: pid_namespaces(7): the first process of a pid namespace cannot be signalled from within, and takes all with it.

Where there are two processes, the program and a trusted checker, the two talk through pipes and only the checker holds
the pipe for the report. The checker is forked and confined first and waits for its text; then the program is forked,
where there are namespaces into a pid namespace below the guard's, from which the checker can be neither named nor
signalled; and only then is the checker's text read, so that nothing of the tests is ever in the program's memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any

from tasks.backends import sandbox_files, sandbox_kernel, sandbox_program
from tasks.backends.sandbox_frames import read_frame
from tasks.backends.sandbox_watch import Stream, Watch

TICK_S, FLOOD_FACTOR, REPORT_BYTES = 0.02, 256, 4 << 20
PATIENCE = 4  # on a busy machine a program may stay this many times wall_s, as long as it waits for a core
TOTAL_CPU_FACTOR = 2  # a job of many processes may use this many times cpu_s in all; each alone is held to cpu_s
SLACK_MB = 96  # the warm interpreter's own pages, counted again in every fork


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
    watch.kills = watch.out_of_memory()
    stdin = sandbox_program.prepare(job, scratch)
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    to_program, from_checker = os.pipe()
    to_checker, from_program = os.pipe()
    text, streams = -1, [Stream(out, limits["output_bytes"]), Stream(err, limits["output_bytes"])]
    if limits["checker"]:
        text, more = _start_checker(watch, config, limits, (stdin, to_checker, from_checker))
        streams += more
        if watch.apart:
            watch.porch = _porch()
    ready, ready_end = os.pipe()
    watch.program = os.fork()
    if not watch.program:
        channel = (to_program, from_program) if limits["checker"] else ()
        descriptors = (stdin, out_end, err_end, *channel, ready_end)
        sandbox_program.start(job["text"], config, limits, scratch, descriptors)
    if not sandbox_program.await_ready(ready, ready_end):
        raise OSError("the program was killed before it started")
    start = time.monotonic()
    for descriptor in (out_end, err_end, to_program, from_program, to_checker, from_checker):
        os.close(descriptor)
    if limits["checker"]:
        with contextlib.suppress(BrokenPipeError):  # unconfined, a program may have ended it: there is no report then
            write_all(text, read_frame(0)["text"].encode())
        os.close(text)
    why = _watch(watch, limits, streams, start, "" if watch.apart else scratch)
    return _answer(watch, limits, streams, why, time.monotonic() - start)


def _start_checker(
    watch: Watch, config: dict[str, Any], limits: dict[str, Any], shared: tuple[int, int, int]
) -> tuple[int, list[Stream]]:
    """Forks the checker, waits until it is confined, and returns where its text goes and what comes from it.

    Raises:
        OSError: it could not be confined.
    """
    stdin, to_checker, from_checker = shared
    text, text_end = os.pipe()
    report, report_end = os.pipe()
    faults, faults_end = os.pipe()
    ready, ready_end = os.pipe()
    watch.checker = os.fork()
    if not watch.checker:
        descriptors = (stdin, faults_end, faults_end, to_checker, from_checker, report_end, text, ready_end)
        sandbox_program.start_checker(config, limits, descriptors)
    if not sandbox_program.await_ready(ready, ready_end):
        raise OSError("the checker was killed before it started")
    for descriptor in (text, report_end, faults_end):
        os.close(descriptor)
    return text_end, [Stream(report, REPORT_BYTES), Stream(faults, 4096)]


def _porch() -> int:
    """Makes a pid namespace for the next process forked, and returns its first process, which waits and does nothing.

    The program is no first process itself, for the kernel keeps signals from one, its own too.
    """
    sandbox_kernel.unshare(sandbox_kernel.NEWPID)
    first = os.fork()
    if first:
        return first
    try:
        os.closerange(0, 1 << 16)
        sandbox_kernel.drop_capabilities()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            signal.pause()
    finally:
        os._exit(1)


def _watch(watch: Watch, limits: dict[str, Any], streams: list[Stream], start: float, scratch: str) -> str:
    """Waits for the end and returns what brought it about: "", ``wall``, ``cpu``, ``memory``, ``flood`` or ``lost``.

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
    why = "lost" if watch.lost(limits["cpu_s"]) else why if killed else ""
    watch.kill()
    for stream in streams:
        while stream.open and stream.seen <= stream.limit * FLOOD_FACTOR:
            before = stream.seen
            stream.read()
            if stream.seen == before:
                break
    return why


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
        "starved": _starved(watch, limits, why),
        "seconds": round(seconds, 4),
        "cpu_seconds": round(cpu, 4),
    }
    if watch.checker:
        answer["report"] = _report(streams[2])
        answer["checker_error"] = streams[3].text()
    return answer


def _starved(watch: Watch, limits: dict[str, Any], why: str) -> str:
    """Returns what the machine lacked for a verdict: ``time``, ``memory`` or nothing."""
    if why == "lost":
        return "memory"
    return "time" if why == "wall" and watch.starved_s >= (PATIENCE - 1) * limits["wall_s"] else ""


def _report(stream: Stream) -> Any:
    try:
        return json.loads(stream.kept) if stream.kept and stream.seen == len(stream.kept) else None
    except ValueError:
        return None
