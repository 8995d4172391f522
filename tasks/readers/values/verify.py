"""Asks math-verify in a process of its own, which ends when a question takes more CPU time than it may.

Source: math-verify (Hugging Face).
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("verifier.py")


class _Worker:
    """The process, started on first use, and again after it ended; a forked child starts its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None

    def ask(self, question: list[str]) -> object:
        """Returns the answer to one question; null where the process ended over it."""
        with self.lock:
            process = self.process or self.start()
            line = ""
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps(question) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                pass
            if not line.endswith("\n"):
                self.stop()
                return None
            return json.loads(line)

    def start(self) -> subprocess.Popen[str]:
        # -P: this file's folder holds modules whose names are those of others
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", str(_FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
        return self.process

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        _close(process)

    def forget(self) -> None:
        """Leaves the process to the parent this one was forked from."""
        self.lock = threading.Lock()
        process, self.process = self.process, None
        if process is not None:
            process.returncode = 0  # not this one's child
            _close(process)


def _close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


_worker = _Worker()
atexit.register(_worker.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_worker.forget)


@lru_cache(maxsize=8192)
def verified(answer: str, reference: str) -> bool | None:
    """Says whether math-verify finds two formulas equal; null where it reads one not at all or takes too long."""
    result = _worker.ask(["verified", answer, reference])
    return result if isinstance(result, bool) else None


@lru_cache(maxsize=8192)
def extracted(text: str) -> str | None:
    """Returns what math-verify takes for the answer of a text, as it stands there; null where it finds none."""
    result = _worker.ask(["extracted", text])
    return result if isinstance(result, str) else None
