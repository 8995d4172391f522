"""kill -9 in mid-search, again and again, then the same command to its end: what was asked twice, what came of it.

Run as ``python -m benchmarks.search --kills 30``. Each life of the command is killed a random while after its first
request. What the engine was asked in a life, less what the ledger holds more than before it, was in flight at the kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.w1 import HERE, http
from storage.store import Store


def command(url: str, folder: Path, root: str, simulations: int, slots: int) -> list[str]:
    """Returns the command line of the search; another port is the same engine."""
    return [
        sys.executable, "-m", "flows.cli", "run", str(HERE / "search.yaml"), "--json", "--yes",
        "--prompts", str(folder / "prompts.jsonl"), "--root", str(folder / root),
        "--policy", f"openai:{url}:mock-gen?concurrency={slots}&start={slots}&identity=engine",
        "--set", f"mcts.simulations={simulations}",
    ]  # fmt: skip


def killed(call: list[str], base: str, wait_s: float) -> bool:
    """Runs the command, kills it that long after its first request, and says whether it was still running."""
    before = http(f"{base}/stats").get("requests", 0)
    with subprocess.Popen(call, cwd=HERE.parent, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while process.poll() is None and http(f"{base}/stats").get("requests", 0) == before:
            time.sleep(0.02)
        time.sleep(wait_s)
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
    return alive


def kept(folder: Path, root: str) -> int:
    """Returns how many calls the ledger of a lake holds."""
    file = folder / root / "ledger.sqlite"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as ledger:
        return int(ledger.execute("select count(*) from calls").fetchone()[0])


def nodes(folder: Path, root: str) -> pl.DataFrame:
    """Returns the nodes of a lake, without the run that wrote them."""
    return Store.open(str(folder / root)).read("nodes").collect().drop("run_id", "created_at").sort("node_id")


def kills(
    url: str, count: int, trees: int, *, simulations: int, slots: int, longest_s: float = 3.0, seed: int = 7
) -> dict[str, Any]:
    """Returns what ``count`` kills cost, and whether the nodes are those of a run that nobody killed.

    Args:
        longest_s: a kill comes at most that long after the first request of its life.
    """
    base = url.removesuffix("/v1")
    rng, lost = random.Random(seed), list[int]()
    with tempfile.TemporaryDirectory(prefix="search-kills-") as name:
        folder = Path(name)
        rows = [{"prompt": f"Problem {i}", "reference": "1"} for i in range(trees)]
        (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        http(f"{base}/reset", {})
        call = command(url, folder, "killed", simulations, slots)
        while len(lost) < count and killed(call, base, rng.uniform(0.0, longest_s)):
            time.sleep(0.3)  # what the kernel had of the last requests still arrives
            lost.append(http(f"{base}/stats")["requests"] - kept(folder, "killed") - sum(lost))
        done = json.loads(subprocess.run(call, cwd=HERE.parent, check=True, capture_output=True).stdout)
        stats = http(f"{base}/stats")
        calm = subprocess.run(
            command(url, folder, "calm", simulations, slots), cwd=HERE.parent, check=True, capture_output=True
        )
        one, other = nodes(folder, "killed"), nodes(folder, "calm")
        return {
            "kills": len(lost), "calls": kept(folder, "calm"), "asked": stats["requests"],
            "asked_again": stats["requests"] - stats["distinct_bodies"], "in_flight_at_kills": sum(lost),
            "most_in_flight_at_a_kill": max(lost, default=0), "slots": slots, "nodes": one.height,
            "same_nodes": one.equals(other), "same_digest": done["digest"] == json.loads(calm.stdout)["digest"],
        }  # fmt: skip
