"""The notebooks run from top to bottom, and what they show is what their cells say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from notebooks.execute import HERE, names, source_hash

ROOT = Path(__file__).parent.parent
NAMES = ["01_first_pairs", "02_judge_agreement", "03_strength_and_length", "04_sql_and_lineage", "05_search_trees"]


def test_these_are_the_notebooks():
    assert names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_outputs_kept_are_those_of_the_cells_beside_them(name):
    notebook = nbformat.read(HERE / f"{name}.ipynb", as_version=4)
    assert notebook.metadata.get("outputs_of") == source_hash(notebook), "./dev notebooks"
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = {kind for cell in code for found in cell["outputs"] for kind in found.get("data", {})}
    assert "image/png" in kinds
    assert notebook.cells[0]["source"].startswith("# ")
    assert (HERE / f"{name}.ipynb").stat().st_size < 150_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name):
    ran = subprocess.run(
        [sys.executable, "-m", "notebooks.execute", name], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
