"""A second small model: the embedded checkpoint with its weights moved a little, as if it had been tuned."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from tasks.backends.embedded import FOLDER


def tuned(folder: Path, *, by: float = 0.02, seed: int = 0) -> Path:
    """Returns a folder with the checkpoint, every matrix moved by ``by`` of its own spread."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    rng = np.random.default_rng(seed)
    weights = load_file(folder / "model.safetensors")
    for name in sorted(weights):
        held = weights[name]
        if held.ndim == 2:
            moved = held.astype(np.float32) + by * held.std() * rng.standard_normal(held.shape)
            weights[name] = moved.astype(held.dtype)
    save_file(weights, folder / "model.safetensors")
    return folder
