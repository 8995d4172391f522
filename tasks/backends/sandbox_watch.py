"""What a guard sees of its job: what comes out of the pipes, and what its processes use. Standard library only.

Source: proc(5); wait4(2).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field


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
    porch: int = 0  # the first process of the program's own pid namespace, where it has one
    ended: dict[int, tuple[int, float]] = field(default_factory=dict)  # pid -> status, CPU seconds
    starved_s: float = 0.0  # time the processes were ready to run and no core was free
    kills: int = 0  # how often this machine had run out of memory when the job began

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
        """Takes note of how long a lone process waited for a core; several keep each other waiting.

        A program and its checker take turns, so their waits add up.
        """
        pids = self._pids() if self.proc >= 0 else []
        if len(pids) <= 1 + bool(self.checker) + bool(self.porch):
            waits = [self._read(f"{pid}/schedstat").split() for pid in pids]
            self.starved_s = sum(int(words[1]) / 1e9 for words in waits if len(words) > 1)

    def out_of_memory(self) -> int:
        """Returns how many processes this machine has killed for want of memory since it started."""
        for line in self._read("vmstat").splitlines() if self.proc >= 0 else []:
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def lost(self, cpu_s: float) -> bool:
        """Says whether the machine, short of memory, killed the program or its checker: neither's own doing."""
        ends = [self.ended[pid] for pid in (self.program, self.checker) if pid in self.ended]
        killed = any(os.WIFSIGNALED(end) and os.WTERMSIG(end) == signal.SIGKILL and cpu < cpu_s for end, cpu in ends)
        return killed and self.out_of_memory() > self.kills

    def cpu_s(self) -> float:
        """Returns the CPU seconds of all processes that are there, and of the children they waited for."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = [self._read(f"{pid}/stat").rpartition(")")[2].split() for pid in self._pids()] if self.proc >= 0 else []
        return sum(sum(int(word) for word in words[11:15]) for words in stats if len(words) > 15) / tick

    def _pids(self) -> list[str]:
        if not self.apart:
            return [str(pid) for pid in (self.program, self.checker) if pid and pid not in self.ended]
        return [name for name in os.listdir(self.proc) if name.isdigit() and name not in self.before]

    def _read(self, path: str) -> str:
        try:
            descriptor = os.open(path, os.O_RDONLY, dir_fd=self.proc)
        except OSError:
            return ""
        try:
            return os.read(descriptor, 1 << 16).decode()
        except OSError:
            return ""
        finally:
            os.close(descriptor)

    def _resident(self, pid: str) -> float:
        words = self._read(f"{pid}/statm").split()
        return int(words[1]) * 4096 / 1e6 if words else 0.0

    def _proportional(self, pid: str) -> float:
        for line in self._read(f"{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1e3
        return self._resident(pid)
