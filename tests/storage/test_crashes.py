"""Real processes: some at once on one root, some killed at a random moment."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from storage.store import Store

HOUSE = Path(__file__).parents[2]
HEAD = """
import sys, polars as pl
from storage.store import Store
store = Store.open(sys.argv[1])
turn = [{"role": "user", "content": "x", "tool_calls": None, "extra": None}]
def prompts(start, end):
    return pl.DataFrame({"prompt_id": [f"p{i}" for i in range(start, end)], "messages": [turn] * (end - start)})
def pairs(start, end):
    n = end - start
    return pl.DataFrame({"pair_id": [f"a{i}" for i in range(start, end)], "prompt_id": "p", "prompt": [turn] * n,
        "chosen": [turn] * n, "rejected": [turn] * n, "chosen_id": "c", "rejected_id": "d", "content_id": "x",
        "recipe": "r"})
print("ready", flush=True)
"""
APPENDING = (
    HEAD
    + """
for k in range(int(sys.argv[2]), 150, 5):
    store.append("prompts", prompts(k, k + 20), run_id="r")
"""
)
PUBLISHING = (
    HEAD
    + """
for k in range(int(sys.argv[3])):
    store.publish(sys.argv[2], {"preferences": pairs(k, k + 50)}, run_id=f"r{k}", recipe="r", recipe_hash="h")
"""
)


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def test_processes_that_append_overlapping_rows_add_each_key_once(tmp_path):
    processes = [_start(APPENDING, tmp_path, 0), _start(APPENDING, tmp_path, 3)]
    for process in processes:
        _finish(process)
    store = Store.open(tmp_path)
    ids = store.read("prompts", ["prompt_id"]).collect()["prompt_id"]
    assert ids.n_unique() == len(ids) == 168
    assert store.verify() == []


def test_a_kill_while_appending_leaves_whole_commits_and_a_second_run_adds_only_the_rest(tmp_path):
    chance = random.Random(1)
    for _ in range(4):
        process = _start(APPENDING, tmp_path, 0)
        time.sleep(chance.uniform(0.0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        store = Store.open(tmp_path)
        assert store.verify() == []
        rows = store.read("prompts", ["prompt_id"]).collect().height
        assert rows == 0 or (rows - 20) % 5 == 0
    _finish(_start(APPENDING, tmp_path, 0))
    ids = Store.open(tmp_path).read("prompts", ["prompt_id"]).collect()["prompt_id"]
    assert ids.n_unique() == len(ids) == 165


def test_a_kill_while_publishing_leaves_the_last_version_current_and_whole(tmp_path):
    chance = random.Random(2)
    for _ in range(4):
        process = _start(PUBLISHING, tmp_path, "d", 1000)
        time.sleep(chance.uniform(0.0, 0.8))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        store = Store.open(tmp_path)
        assert store.verify() == []
        names = store.versions()["version"].to_list()
        assert names == [f"v{i + 1}" for i in range(len(names))]
        assert store.read("preferences").collect().height == (50 if names else 0)
    _finish(_start(PUBLISHING, tmp_path, "d", 2))
    store = Store.open(tmp_path)
    assert store.resolve("d").number >= 2
    assert store.verify() == []
    raw = pl.read_delta(str(tmp_path / "preferences"))["pair_id"].sort().to_list()
    assert raw == sorted(f"a{i}" for i in range(1, 51))


def test_two_datasets_published_at_the_same_time_both_get_all_their_versions(tmp_path):
    processes = [_start(PUBLISHING, tmp_path, name, 4) for name in ("one", "two")]
    for process in processes:
        _finish(process)
    store = Store.open(tmp_path)
    for name in ("one", "two"):
        assert store.versions(name)["version"].to_list() == ["v1", "v2", "v3", "v4"]
    assert store.read("preferences").collect().height == 100
    assert store.verify() == []
