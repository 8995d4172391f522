"""Fixtures of the backends' tests."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def runtime(monkeypatch):
    """A folder of its own for sockets and logs of managed engines; short, for a socket's path may have 107 bytes."""
    folder = tempfile.mkdtemp(prefix="pw")
    monkeypatch.setattr(tempfile, "tempdir", folder)
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
