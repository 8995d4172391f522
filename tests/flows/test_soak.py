"""Half an hour at full rate: nothing leaks. By hand: ``./dev test -m soak``; it takes a core, and a quiet machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = 140_000
"""So many take half an hour: nine calls each, at 256 slots of 0.2 s."""


@pytest.mark.soak
def test_memory_descriptors_and_threads_stay_as_they_are_for_half_an_hour() -> None:
    command = [sys.executable, "-m", "benchmarks.w1", "--prompts", str(PROMPTS), "--watch", "30"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5400, check=False)

    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["calls"] == {"asked": 9 * PROMPTS, "from_ledger": 0, "failed": 0}
    assert found["rows"]["preferences"] == PROMPTS
    looks = found["watched"][4:]  # past the start
    assert len(looks) > 40, "too short to say anything"
    first, last = looks[:10], looks[-10:]
    # Thread pools fill up, to a bound, when the machine is busy.
    for what, most in (("rss_mb", 1.15), ("descriptors", 1.02), ("sockets", 1.02), ("threads", 1.5)):
        then, now = (median(look[what] for look in part) for part in (first, last))
        assert now <= most * then, f"{what}: {then:g} in the first minutes, {now:g} in the last"
    assert found["peak_mb"] < 500
