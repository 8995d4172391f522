"""The commands as functions: in a script without a guard, in a notebook, and the process is left as it was."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest
from click.testing import CliRunner

from flows import api
from flows.cli import cli
from schemas.errors import StoppedError


def test_a_run_works_where_a_loop_runs_already_and_its_lake_can_be_asked(tmp_path):
    before = gc.get_threshold(), vars(sys.modules["__main__"]).get("__spec__")

    async def notebook():
        return api.run("quickstart", root=tmp_path, limit=12)

    made = asyncio.run(notebook())
    assert (gc.get_threshold(), vars(sys.modules["__main__"]).get("__spec__")) == before
    pairs = api.sql("select pair_id from preferences order by 1", root=tmp_path)
    assert made.status == "done"
    assert pairs.height == made.rows["preferences"] > 0
    assert api.report("quickstart", root=tmp_path)["rows"]["preferences"] == pairs.height
    page = api.write_report("quickstart@v1", tmp_path / "page.html", root=tmp_path)
    assert "quickstart@v1" in page.read_text()
    drawn = api.draw_lineage(pairs["pair_id"][0], root=tmp_path)
    assert drawn.startswith("<svg")
    assert pairs["pair_id"][0][:12] in drawn
    page = tmp_path / "pair.html"
    ran = CliRunner().invoke(
        cli, ["lineage", pairs["pair_id"][0], "--root", str(tmp_path), "--html", str(page), "--json"]
    )
    assert ran.exit_code == 0
    assert drawn in page.read_text()
    assert 'href="/' not in page.read_text()


def test_a_budget_that_runs_out_stops_the_run(tmp_path):
    with pytest.raises(StoppedError):
        api.run("quickstart", root=tmp_path, limit=12, budget="2calls")


def test_a_script_needs_no_guard_for_the_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text('from flows import api\n\nprint(api.run("quickstart", root="lake", limit=4).status)\n')
    ran = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
