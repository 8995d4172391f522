"""TRL's own trainers take our exports as they are (slow: they have an environment of their own, with torch)."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".venv-trainers" / "bin" / "python"
MANY = """
name: many
source: pairs, triples and labelled answers of the same samples
about: One dataset with three kinds of rows.
blocks:
  - prompts: arithmetic
    n: 60
  - sample: independent
    policy: embedded
    n: 6
    max_tokens: 96
    logprobs: true
  - score: own_likelihood
  - select: best_vs_worst
  - select: triples
  - select: labelled
    threshold: median
"""
FORMS = {
    "dpo": "many:trl_dpo", "kto": "many:trl_kto", "kto-pairs": "many:trl_dpo", "reward": "many:trl_reward",
    "cpo": "many:trl_dpo", "orpo": "many:trl_dpo", "tpo": "many:trl_tpo", "sft": "many:trl_sft",
    "grpo": "quickstart:verl_prompts",
}  # fmt: skip
"""Trainer -> the dataset and the export it is given."""


@pytest.fixture(scope="session")
def trainers() -> Path:
    """Returns the Python that has TRL, installed now if it is not there."""
    subprocess.run([str(ROOT / "dev"), "trainers"], check=True, cwd=ROOT, timeout=1800)
    return PYTHON


def _train(python: Path, tmp: Path, steps: int, *tasks: str) -> dict[str, dict[str, object]]:
    model = ROOT / "tasks" / "backends" / "arithmetic"
    ran = subprocess.run(
        [python, ROOT / "tests" / "support" / "train_trl.py", model, tmp / "out", str(steps), *tasks],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp / "hf")},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.slow
def test_dpo_runs_twenty_steps_on_an_export_of_the_quickstart(command, tmp_path, trainers):
    made = command("run", "quickstart", "--limit", 120, "--json").json
    assert command("export", "quickstart", "--to", tmp_path / "pairs").code == 0
    found = _train(trainers, tmp_path, 20, f"dpo={tmp_path / 'pairs'}")["dpo"]
    assert (found["steps"], found["rows"]) == (20, made["rows"]["preferences"])
    assert found["columns"] == ["prompt", "chosen", "rejected"]
    assert len(found["losses"]) == 20  # all of them finite
    assert math.isclose(found["losses"][0], math.log(2), abs_tol=1e-3)  # before a step, policy and reference are one


@pytest.mark.slow
def test_dpo_trains_on_what_was_published_to_a_folder(command, tmp_path, trainers):
    made = command("run", "quickstart", "--limit", 60, "--json").json
    assert command("publish", "quickstart", "--to", tmp_path / "published").code == 0
    found = _train(trainers, tmp_path, 3, f"dpo={tmp_path / 'published'}@trl_dpo")["dpo"]
    assert (found["steps"], found["rows"]) == (3, made["rows"]["preferences"])
    assert found["columns"] == ["prompt", "chosen", "rejected"]


@pytest.mark.slow
def test_every_trainer_trains_on_its_export(command, tmp_path, trainers):
    (tmp_path / "many.yaml").write_text(MANY, encoding="utf-8")
    assert command("run", tmp_path / "many.yaml", "--limit", 40).code == 0
    assert command("run", "quickstart", "--limit", 20).code == 0
    rows = {}
    for name, form in FORMS.items():
        dataset, _, block = form.partition(":")
        done = command("export", dataset, "--format", block, "--to", tmp_path / name, "--json")
        rows[name] = done.json["rows"]
    found = _train(trainers, tmp_path, 3, *(f"{name}={tmp_path / name}" for name in FORMS))
    assert all(found[name]["steps"] == 3 and len(found[name]["losses"]) == 3 for name in FORMS)
    kept = {name: found[name]["prepared"] for name in FORMS}  # what the trainer kept of the rows: all
    assert kept == rows | {"kto-pairs": 2 * rows["kto-pairs"]}
    assert min(rows.values()) > 8
    assert math.isclose(found["dpo"]["losses"][0], math.log(2), abs_tol=1e-3)
    assert math.isclose(found["kto"]["losses"][0], 0.5, abs_tol=1e-3)  # 1 - sigmoid(0), wanted or not
