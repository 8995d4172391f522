"""The command line, run as a user runs it, in an empty folder with an empty home: as a process, or, sooner, in this."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main

SCRIPT = str(Path(sys.executable).with_name("pairwright"))
Start = Callable[..., "subprocess.Popen[str]"]


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    @property
    def message(self) -> str:
        """What it said when it failed: all of stderr but the line that announces the run."""
        return "\n".join(line for line in self.err.splitlines() if " -> " not in line)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment as on a fresh machine; rules run in the command's own process, which starts sooner."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAIRWRIGHT_", "PREFECT_"))}
    return {**kept, "HOME": str(home), "PAIRWRIGHT_WORKERS": "0"}


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Start:
    """Starts a command in the test's folder: ``start("run", "quickstart", NAME="VALUE")`` adds to its environment."""

    def begin(*arguments: object, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SCRIPT, *map(str, arguments)], cwd=tmp_path, env={**environment, **more}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return begin


@pytest.fixture
def pairwright(start: Start) -> Callable[..., Ran]:
    """Runs a command to its end: ``pairwright("run", "quickstart", "--json").json``."""

    def run(*arguments: object, **more: str) -> Ran:
        with start(*arguments, **more) as process:
            out, err = process.communicate(timeout=300)
        return Ran(process.returncode, out, err)

    return run


@pytest.fixture
def command(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Runs a command in this process: the same words and the same exit code, without the start of an interpreter."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "PAIRWRIGHT_WORKERS"):
        monkeypatch.setenv(name, environment[name])

    def run(*arguments: object, **more: str) -> Ran:
        capsys.readouterr()
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
