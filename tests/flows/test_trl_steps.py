"""TRL's process reward trainer takes stepwise rows as they are (slow: it has an environment of its own, with torch)."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.problems import held_back

ROOT = Path(__file__).resolve().parent.parent.parent
TRAINERS = ROOT / ".venv-trainers"


@pytest.fixture(scope="session")
def trainers() -> Path:
    """Returns the Python that has TRL, installed now if it is not there."""
    subprocess.run([str(ROOT / "dev"), "trainers"], check=True, cwd=ROOT, timeout=1800)
    return TRAINERS / "bin" / "python"


@pytest.mark.slow
def test_a_process_reward_model_trains_twenty_steps_on_an_export_of_math_shepherd(command, tmp_path, trainers):
    words = ["--prompts", held_back(tmp_path, 24), "--policy", "embedded", "--set", "step_rollouts.n=4", "--json"]
    made = command("run", "math-shepherd", *words).json
    assert command("export", "math-shepherd", "--format", "trl_stepwise", "--to", tmp_path / "steps").code == 0
    ran = subprocess.run(
        [trainers, ROOT / "tests" / "support" / "train_prm.py", tmp_path / "steps",
         ROOT / "tasks" / "backends" / "arithmetic", tmp_path / "out"],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hf"),
             "PYTHONPATH": str(TRAINERS / "prm")},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["steps"], found["rows"]) == (20, made["rows"]["steps"])
    assert found["columns"] == ["prompt", "completions", "labels"]
    assert len(found["losses"]) == 20
    assert all(math.isfinite(loss) for loss in found["losses"])
    assert sum(found["losses"][-5:]) < sum(found["losses"][:5])
    first = found["first"]
    assert found["labels"] == [int(label) for label in first["labels"]]  # one a step, and on the separator
    assert set(found["ends"]) == {"\n"}
    assert found["text"] == first["prompt"] + "".join(f"{step}\n" for step in first["completions"])
