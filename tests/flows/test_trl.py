"""TRL's own trainer takes an export as it is (slow: it has an environment of its own, with torch)."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".venv-trainers" / "bin" / "python"


@pytest.fixture(scope="session")
def trainers() -> Path:
    """Returns the Python that has TRL, installed now if it is not there."""
    subprocess.run([str(ROOT / "dev"), "trainers"], check=True, cwd=ROOT, timeout=1800)
    return PYTHON


@pytest.mark.slow
def test_dpo_runs_twenty_steps_on_an_export_of_the_quickstart(command, tmp_path, trainers):
    made = command("run", "quickstart", "--limit", 120, "--json").json
    assert command("export", "quickstart", "--to", tmp_path / "pairs").code == 0
    model = ROOT / "tasks" / "backends" / "arithmetic"
    ran = subprocess.run(
        [trainers, ROOT / "tests" / "support" / "train_dpo.py", tmp_path / "pairs", model, tmp_path / "out"],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hf")},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["steps"], found["rows"]) == (20, made["rows"]["preferences"])
    assert found["columns"] == ["prompt", "chosen", "rejected"]
    assert len(found["losses"]) == 20
    assert math.isclose(found["losses"][0], math.log(2), abs_tol=1e-3)  # before a step, policy and reference are one
    assert all(math.isfinite(loss) for loss in found["losses"])
