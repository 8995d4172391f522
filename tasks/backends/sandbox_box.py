"""The fork server inside the sandbox: one warm interpreter, and for each program namespaces of its own.

Source: zygote processes (Android, Chromium); user_namespaces(7), pid_namespaces(7).

The server never reads a job. It forks a keeper, the keeper moves into namespaces of its own and forks a guard (their
pid 1), and the guard reads the job; so nothing of one program is ever in the memory of another. A job is a frame of
limits, a frame with the program, and, where the limits say so, one with a checker; the answer is one frame. Everything
that runs in the box imports the standard library alone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from typing import Any

from tasks.backends import sandbox_files, sandbox_guard, sandbox_kernel, sandbox_root
from tasks.backends.sandbox_frames import read_frame, write_frame

END, SCRATCH = 77, "/scratch"
WARM = """
abc array ast bisect calendar cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq
itertools json math operator queue random re sqlite3 statistics string struct sys textwrap threading time traceback
types typing unicodedata
"""
GRACE_S = 5.0


def main() -> None:
    """Serves jobs from stdin until it is closed."""
    config = json.loads(sys.argv[1])
    for name in WARM.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if config["mode"] == "namespaces":
        sandbox_root.build_root(config)
    if config["uid"] is not None:
        os.setgroups([])
        os.setresgid(config["uid"], config["uid"], config["uid"])
        os.setresuid(config["uid"], config["uid"], config["uid"])
        if sys.platform == "linux":
            sandbox_kernel.show()
            if config["mode"] == "namespaces":
                sandbox_kernel.die_with_parent()  # a change of user takes that away too
    proc = os.open("/proc", os.O_RDONLY) if sys.platform == "linux" else -1
    gc.collect()
    gc.freeze()
    write_frame(1, {"ready": True, "landlock": sandbox_kernel.landlock_version()})
    while True:
        keeper = os.fork()
        if not keeper:
            _keep(config, proc)
        status = _wait(keeper)
        if status:
            os._exit(0 if os.waitstatus_to_exitcode(status) == END else 1)


def _wait(wanted: int) -> int:
    """Reaps whatever ends until the keeper has; returns its status."""
    while True:
        pid, status = os.wait()
        if pid == wanted:
            return status


def _keep(config: dict[str, Any], proc: int) -> None:
    """Serves one job and never returns."""
    code = 1
    try:
        code = _keep_one(config, proc)
    except (OSError, ValueError, KeyError) as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _keep_one(config: dict[str, Any], proc: int) -> int:
    apart = config["mode"] in ("bwrap", "namespaces")
    scratch = SCRATCH
    if sys.platform == "linux":
        sandbox_kernel.die_with_parent()
    if apart:
        sandbox_kernel.enter_namespaces(proc)
    limits = read_frame(0)
    if limits is None:
        return END
    if apart:
        _mounts(limits)
    else:
        scratch = tempfile.mkdtemp(dir=config["scratch"])
    receive, send = os.pipe()
    guard = os.fork()
    if not guard:
        os.close(receive)
        sandbox_guard.guard(config, limits, scratch, proc, send)
    os.close(send)
    answer = _receive(receive, sandbox_guard.PATIENCE * limits["wall_s"] + GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)
    _wait(guard)
    if not apart:
        sandbox_files.remove(scratch)
    if answer is None:
        return 1
    write_frame(1, answer)
    return 0


def _mounts(limits: dict[str, Any]) -> None:
    """Covers what programs could share or pry into with folders of this program's own."""
    flags = sandbox_kernel.MS_NOSUID | sandbox_kernel.MS_NODEV
    sandbox_kernel.mount("tmpfs", "/proc", "tmpfs", flags | sandbox_kernel.MS_RDONLY, "size=4k,nr_inodes=2")
    sandbox_kernel.mount("tmpfs", "/dev/shm", "tmpfs", flags, "size=8m,nr_inodes=256,mode=1777")
    size = f"size={limits['scratch_mb']}m,nr_inodes=4096,mode=700"
    sandbox_kernel.mount("tmpfs", SCRATCH, "tmpfs", flags, size)


def _receive(descriptor: int, seconds: float) -> dict[str, Any] | None:
    """Returns the guard's answer, or null where it gave none in time."""
    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            break
        part = os.read(descriptor, 1 << 16)
        if not part:
            answer: dict[str, Any] | None = json.loads(b"".join(parts)) if parts else None
            return answer
        parts.append(part)
    return None
