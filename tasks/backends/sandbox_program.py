"""The last steps before a judged program runs, in its own process. Standard library only.

Source: capabilities(7), seccomp(2), setrlimit(2).
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import random
import signal
import site
import sys
import threading
import traceback
import types
from typing import Any

from tasks.backends import sandbox_kernel

try:
    import resource
except ImportError:  # not a Unix; the backend refuses such systems
    resource = None  # type: ignore[assignment]

OWN_PROCESSES = 3  # keeper, guard and program (and the checker) share the user id that RLIMIT_NPROC counts
CHECKER_PROCESSES = 8  # so many more threads may a checker start, even where its program took all that it may
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def prepare(job: dict[str, Any], scratch: str) -> int:
    """Writes the job's files into the scratch folder and returns a descriptor of its stdin.

    Raises:
        ValueError: a file name leaves the folder.
    """
    for name, text in (job.get("files") or {}).items():
        if name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"file name {name!r} leaves the scratch folder")
        path = os.path.join(scratch, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="") as file:
            file.write(text)
    if not job.get("stdin"):
        return os.open("/dev/null", os.O_RDONLY)
    path = os.path.join(scratch, ".stdin")
    with open(path, "x", encoding="utf-8", newline="") as file:
        file.write(job["stdin"])
    descriptor = os.open(path, os.O_RDONLY)
    os.unlink(path)
    return descriptor


def start(
    text: str, config: dict[str, Any], limits: dict[str, Any], scratch: str, descriptors: tuple[int, ...]
) -> None:
    """Confines this process, runs the program in it as ``__main__`` and never returns."""
    _start(text, "program.py", config, limits, scratch, descriptors, limits["memory_mb"])


def start_checker(config: dict[str, Any], limits: dict[str, Any], descriptors: tuple[int, ...]) -> None:
    """Confines this process, waits for the checker's text, runs it and never returns.

    Args:
        descriptors: the last but one is where the text comes from.
    """
    _start(None, "checker.py", config, limits, "/", descriptors, limits["memory_mb"] * 2)


def await_ready(ready: int, ready_end: int) -> bool:
    """Waits until the child is confined; says no where it was killed before.

    Raises:
        OSError: it could not be confined: then nothing ran, and nothing may be read from its exit.
    """
    os.close(ready_end)
    with open(ready, "rb") as stream:
        said = stream.read()
    if said not in (b"ready", b""):
        raise OSError(f"the program could not be confined: {said.decode(errors='replace')}")
    return said == b"ready"


def _start(
    text: str | None, name: str, config: dict[str, Any], limits: dict[str, Any], folder: str,
    descriptors: tuple[int, ...], memory_mb: int,
) -> None:  # fmt: skip
    code, ready = 1, len(descriptors) - 1
    leave = os._exit  # the program may put anything in its place; what follows here must not run in it
    try:
        try:
            _confine(config, limits, folder, descriptors, memory_mb)
            if name == "checker.py" and sys.platform == "linux":
                sandbox_kernel.hide()
        except (OSError, ValueError) as error:
            os.write(ready, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        os.write(ready, b"ready")
        os.close(ready)
        if text is None:
            with open(ready - 1, encoding="utf-8", newline="") as stream:
                text = stream.read()
            if not text:
                leave(1)
        code = _main(text, name)
    finally:
        leave(code)


def _confine(
    config: dict[str, Any], limits: dict[str, Any], folder: str, descriptors: tuple[int, ...], memory_mb: int
) -> None:
    _descriptors(descriptors)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(ENVIRONMENT, HOME=folder, TMPDIR=folder)
    apart = config["mode"] in ("bwrap", "namespaces")
    if apart:
        os.setsid()  # a signal to one's process group reaches beyond the pid namespace
    more = CHECKER_PROCESSES if folder == "/" else 0
    _limits(limits, memory_mb, processes=apart or config["uid"] is not None, more_processes=more)
    if sys.platform != "linux":
        return
    sandbox_kernel.drop_capabilities()
    if config["mode"] == "landlock":
        writable = [folder] if folder != "/" else []
        sandbox_kernel.landlock(config["readable"], writable, config["devices"])
    if apart:
        # bubblewrap and the kernel's namespaces already hold; a machine unknown to the table does without
        with contextlib.suppress(OSError):
            sandbox_kernel.seccomp(lone=False)
    elif config["mode"] == "landlock":
        sandbox_kernel.seccomp(lone=True)


def _descriptors(wanted: tuple[int, ...]) -> None:
    """Puts these descriptors at 0, 1, 2, … and closes every other."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 100) for descriptor in wanted]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number)
    os.closerange(len(wanted), os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 16 else 1 << 16)
    for number, mode in enumerate(("r", "w", "w")):
        stream = open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        setattr(sys, ("stdin", "stdout", "stderr")[number], stream)
        setattr(sys, ("__stdin__", "__stdout__", "__stderr__")[number], stream)


def _limits(limits: dict[str, Any], memory_mb: int, *, processes: bool, more_processes: int) -> None:
    cpu, memory = int(limits["cpu_s"]), memory_mb << 20
    wanted = [
        ("RLIMIT_CORE", 0, 0), ("RLIMIT_CPU", cpu, cpu + 1), ("RLIMIT_AS", memory, memory), ("RLIMIT_NOFILE", 64, 64),
        ("RLIMIT_FSIZE", limits["scratch_mb"] << 20, limits["scratch_mb"] << 20), ("RLIMIT_MEMLOCK", 0, 0),
        ("RLIMIT_MSGQUEUE", 0, 0),
    ]  # fmt: skip
    if processes:
        count = limits["processes"] + OWN_PROCESSES + 2 * limits["checker"] + more_processes
        wanted.append(("RLIMIT_NPROC", count, count))
    for name, soft, hard in wanted:
        number = getattr(resource, name, None)
        if number is None or (sys.platform == "darwin" and name == "RLIMIT_AS"):
            continue
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(number, (soft, hard))


def _main(text: str, name: str) -> int:
    """Runs the text as a main module, as the interpreter would, and returns the exit code."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)
    site.setquit()
    random.seed(0)  # a verdict should not depend on luck
    for known in [known for known in sys.modules if known.startswith("tasks")]:
        del sys.modules[known]
    sys.argv, sys.path = [name], [path for path in sys.path if path and not path.endswith("/box")]
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=name)
    sys.modules["__main__"] = module
    code = 0
    try:
        exec(compile(text, name, "exec"), module.__dict__)
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:  # noqa: BLE001 (whatever a program raises is its own)
        code = 1
        _show()
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    sys.stderr.write(f"{end.code}\n")
    return 1


def _show() -> None:
    """Prints the traceback of the program alone; the frames of this file are cut."""
    kind, error, trace = sys.exc_info()
    with contextlib.suppress(BaseException):
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        traceback.print_exception(kind, error, trace)
