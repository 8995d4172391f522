"""Managed engines that are none: ``fake_vllm.py`` behind an interpreter's name, and what it noted."""

import json
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.exchange import Request
from tasks.backends.vllm import VLLM

ROOT = Path(__file__).resolve().parents[2]
FAKE = ROOT / "tests" / "support" / "fake_vllm.py"


class Fake:
    """An engine that is not one: its SPEC, and what it noted."""

    def __init__(self, folder, **behave):
        self.notes, self.model = folder / "notes", folder / "model"
        self.notes.mkdir(parents=True)
        self.model.mkdir()
        self.behave(**behave)
        self.python = folder / "python"
        self.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
        self.python.chmod(0o755)

    def behave(self, **behave):
        (self.model / "fake.json").write_text(json.dumps({"notes": str(self.notes), **behave}))

    def spec(self, options=""):
        return f"vllm:{self.model}?python={self.python}&window_s=60&{options}"

    def noted(self, kind):
        file = self.notes / kind
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def processes(self):
        return [pid for pid in (*(start[0] for start in self.noted("starts")), *self.noted("cores")) if _runs(pid)]


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def all_end(fake, seconds=15.0):
    end = time.monotonic() + seconds
    while fake.processes() and time.monotonic() < end:
        time.sleep(0.05)
    return fake.processes() == []


@asynccontextmanager
async def opened(spec):
    backend = VLLM(spec)
    try:
        yield backend
    finally:
        await backend.close()


def ask(text, **fields):
    return Request(model="vllm:m", messages=[{"role": "user", "content": text}], **fields)
