"""Executes the notebooks, each in an empty folder and a fresh kernel; --write keeps what they show.

    python -m notebooks.execute [--write] [NAME …]

The outputs in the repository are those of the cells beside them: their hash is kept with them, and a test compares.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def names() -> list[str]:
    """Returns the notebooks there are."""
    return sorted(path.stem for path in HERE.glob("*.ipynb"))


def source_hash(notebook: nbformat.NotebookNode) -> str:
    """Returns a hash of the code cells."""
    code = "\n\n".join(cell["source"] for cell in notebook.cells if cell["cell_type"] == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def executed(name: str) -> nbformat.NotebookNode:
    """Returns the notebook with the outputs of a fresh kernel.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the message holds it and its traceback.
    """
    notebook = nbformat.read(HERE / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory(prefix="pairwright-notebook-") as folder:
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute(env=os.environ | {"TMPDIR": folder, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
        if cell["cell_type"] == "code":
            cell.outputs = [found for found in cell.outputs if found.get("name") != "stderr"]
    notebook.metadata["outputs_of"] = source_hash(notebook)
    return notebook


def main() -> None:
    """Executes what was named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*", default=names())
    asked = parser.parse_args()
    for name in asked.names or names():
        start = time.monotonic()
        notebook = executed(name)
        if asked.write:
            nbformat.write(notebook, HERE / f"{name}.ipynb")
        sys.stdout.write(f"{name}: {time.monotonic() - start:.1f} s\n")


if __name__ == "__main__":
    main()
