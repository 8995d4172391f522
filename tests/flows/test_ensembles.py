"""Ensembles of reward models, end to end: three checkpoints that differ, as three judges of one block."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from storage.store import Store
from tasks.backends.embedded import FOLDER

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def scorer_of(folder: Path, seed: int) -> str:
    """A model of its own taste: the embedded one with noise; its log-probability of an answer is the reward."""
    shutil.copytree(FOLDER, folder)
    draw = np.random.default_rng(seed)
    weights = load_file(folder / "model.safetensors")
    noisy = {name: (each + draw.normal(0, 0.03, each.shape) * np.std(each.astype(np.float32))).astype(each.dtype)
             for name, each in weights.items()}  # fmt: skip
    save_file(noisy, folder / "model.safetensors")
    return f"embedded:{folder}"


@pytest.mark.parametrize("name", ["reward-ensembles", "worst-case-ensemble"])
def test_an_ensemble_scores_by_all_its_members(name, tmp_path, command):
    text = (RECIPES / f"{name}.yaml").read_text()
    for seed in (1, 2, 3):
        text = text.replace(f"reward:reward-models/seed-{seed}", scorer_of(tmp_path / f"rm-{seed}", seed))
    (tmp_path / f"{name}.yaml").write_text(text.replace("n: 16", "n: 4"))
    rows = [{"prompt": f"What is {question}?"} for question in ("31 - 41 - 26", "46 - 47 + 41", "8 * 15 - 97")]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ran = command("run", str(tmp_path / f"{name}.yaml"), "--prompts", "prompts.jsonl", "--policy", "embedded", "--yes",
                  "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    store = Store.open(str(tmp_path / "lake"))
    given = store.read("judgments").collect().filter(pl.col("outcome") == "valid")
    assert given["fingerprint"].n_unique() == 3
    rewards = given.group_by(pl.col("subjects").list.first().alias("completion_id")).agg(
        worst=pl.col("score").min(), mean=pl.col("score").mean(), variance=pl.col("score").var(ddof=0), judges=pl.len()
    )
    assert rewards["judges"].to_list() == [3] * rewards.height
    expected = pl.col("worst") if name == "worst-case-ensemble" else pl.col("mean") - 0.5 * pl.col("variance")
    scores = store.read("scores").collect().join(rewards.with_columns(expected=expected), on="completion_id")
    assert scores.height == rewards.height
    assert (scores["score"] - scores["expected"]).abs().max() < 1e-9
    pairs = store.read("preferences").collect()
    assert pairs.height == ran.json["rows"]["preferences"] > 0
    assert (pairs["chosen_score"] > pairs["rejected_score"]).all()
