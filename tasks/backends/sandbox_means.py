"""By what means a program can be confined on this machine, strongest first, and how the box is started with each.

Source: bubblewrap (bwrap(1)); namespaces(7); landlock(7); sandbox-exec(1).
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
MODULES = ("box", "files", "frames", "guard", "kernel", "program", "root", "watch")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/etc/ld.so.cache", "/usr/share/zoneinfo")
ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}

PROBE = """
import os, socket
found = []
for name, attempt in {
    "a socket": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "the user's files": lambda: open(%(secret)r).read(),
    "a file outside": lambda: open(%(outside)r, "w"),
    "its parent's life": lambda: os.kill(%(parent)d, 0),
    "its checker's life": lambda: os.kill(-1, 0),
}.items():
    try:
        attempt()
        found.append(name)
    except OSError:
        pass
print("; ".join(found), end=" and no more")
"""
PROBE_CHECKER = "import os\nwhile os.read(3, 100): pass\n"
"""The checker stays until the program ended."""

NAMES = {
    "bwrap": ("bubblewrap", "namespaces: user mount pid net ipc uts cgroup", "read-only root", "seccomp", "rlimits"),
    "namespaces": ("namespaces: user mount pid net ipc uts", "read-only root", "seccomp", "rlimits"),
    "landlock": ("landlock", "seccomp: no child process", "rlimits"),
    "sandbox-exec": ("sandbox-exec", "rlimits"),
    "none": ("rlimits",),
}
"""Means -> what holds a program there. ``none`` confines nothing but CPU time and memory."""


@dataclass(frozen=True)
class Means:
    """One way to confine.

    Args:
        name: a key of ``NAMES``.
        uid: the unprivileged user that programs run as where we are root, else null.
    """

    name: str
    uid: int | None

    @property
    def words(self) -> list[str]:
        """What a judgment records."""
        user = "unprivileged user" if self.uid is not None or os.getuid() else "root without capabilities"
        return [*NAMES[self.name], user]


def available(*, unsafe: bool = False) -> tuple[list[Means], list[str]]:
    """Returns the means this machine seems to offer, strongest first, and why each other is not among them."""
    uid = 200_000 + secrets.randbelow(1_000_000) if hasattr(os, "getuid") and os.getuid() == 0 else None
    found, missing = [], []
    if sys.platform == "linux":
        if shutil.which("bwrap"):
            found.append(Means("bwrap", uid))
        else:
            missing.append("bubblewrap is not installed (apt-get install bubblewrap)")
        found += [Means("namespaces", uid), Means("landlock", uid if _reachable() else None)]
    elif sys.platform == "darwin" and shutil.which("sandbox-exec"):
        found.append(Means("sandbox-exec", uid))
    else:
        missing.append(f"no means is known for {sys.platform}")
    if unsafe and os.name == "posix":
        found.append(Means("none", uid if _reachable() else None))
    return found, missing


def command(means: Means, scratch: Path) -> list[str]:
    """Returns the command line that starts a box.

    Args:
        scratch: an empty folder of the box's own; used where the means has no private mounts.
    """
    inside = means.name == "bwrap"
    readable, links = _readable()
    modules = [str(HERE / f"sandbox_{name}.py") for name in MODULES]
    root = "/box" if means.name in ("bwrap", "namespaces") else str(HERE.parent.parent)
    config: dict[str, Any] = {
        "mode": means.name, "uid": means.uid, "scratch": str(scratch), "readable": [*readable], "links": links,
        "devices": DEVICES, "modules": modules,
    }  # fmt: skip
    start = f"import sys; sys.path.insert(0, {str(HERE.parent.parent)!r}); "
    if inside:
        start = f"import sys; sys.path.insert(0, {root!r}); "
    start += "from tasks.backends.sandbox_box import main; main()"
    python = [_python(), "-S", "-s", "-P", "-B", "-X", "utf8", "-c", start, orjson.dumps(config).decode()]
    if inside:
        return [*_bwrap(means, readable, links, modules), *python]
    if means.name == "sandbox-exec":
        return ["sandbox-exec", "-p", _profile(readable, scratch), *python]
    return python


def _python() -> str:
    """Returns the real interpreter, outside any virtual environment: a program sees the standard library alone."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _readable() -> tuple[list[str], list[tuple[str, str]]]:
    """Returns the paths a Python program needs, and the links of the root folder (``/lib``: ``usr/lib``)."""
    python = _python()
    prefix = os.path.realpath(sys.base_prefix)
    paths = [path for path in LIBRARIES if os.path.exists(path)]
    paths += [python, f"{prefix}/lib"] if prefix in ("/usr", "/usr/local", "/") else [prefix]
    links = []
    for name in ("/lib", "/lib64", "/lib32"):
        if os.path.islink(name):
            links.append((name, os.readlink(name)))
        elif os.path.isdir(name):
            paths.append(name)
    kept = [path for path in dict.fromkeys(paths) if not any(path.startswith(f"{other}/") for other in paths)]
    if not any(path.startswith("/tmp/") for path in kept):
        links.append(("/tmp", "scratch"))
    return kept, links


def _bwrap(means: Means, readable: list[str], links: list[tuple[str, str]], modules: list[str]) -> list[str]:
    modules_inside = [f"/box/tasks/backends/{Path(module).name}" for module in modules]
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if means.uid is None:
        words += ["--unshare-user"]
    else:
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # to leave root; gone before a program runs
    words += ["--die-with-parent", "--new-session", "--hostname", "box", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        words += ["--setenv", name, value]
    for folder in _parents([*readable, *modules_inside]):  # else bubblewrap makes them for their owner alone
        words += ["--perms", "0755", "--dir", folder]
    for path in readable:
        words += ["--ro-bind", path, path]
    for name, target in links:
        words += ["--symlink", target, name]
    words += ["--proc", "/proc", "--dir", "/dev", "--dir", "/dev/shm", "--dir", "/scratch"]
    for path in DEVICES:
        words += ["--dev-bind", path, path]
    for module, target in zip(modules, modules_inside, strict=True):
        words += ["--ro-bind", module, target]
    return [*words, "--remount-ro", "/", "--chdir", "/"]


def _parents(paths: list[str]) -> list[str]:
    """Returns every folder above the paths, outermost first."""
    return sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/"})


def _reachable() -> bool:
    """Returns whether any user may reach the interpreter and this project."""
    parents = _parents([_python(), os.path.realpath(sys.base_prefix) + "/lib", str(HERE)])
    return all(os.stat(parent).st_mode & 0o001 for parent in parents)


def _profile(readable: list[str], scratch: Path) -> str:
    """Returns the macOS profile: nothing but reading the interpreter and writing the scratch folder."""
    reads = " ".join(f'(subpath "{path}")' for path in [*readable, "/usr/lib", "/System", str(HERE.parent)])
    return (
        "(version 1)(deny default)(allow process-fork)(allow process-exec)(allow sysctl-read)(allow mach-lookup)"
        f'(allow signal (target self))(allow file-read* {reads} (literal "/") (literal "/dev/null")'
        f' (literal "/dev/urandom"))(allow file-read* file-write* (subpath "{scratch}"))'
        '(allow file-write-data (literal "/dev/null"))(deny network*)'
    )
