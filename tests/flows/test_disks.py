"""Roots that cannot be written to, and roots that are in use."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import locks


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Returns a file of one right and one wrong answer to each of forty questions."""
    file = tmp_path / "recorded.jsonl"
    with file.open("w") as sink:
        for n in range(40):
            for answer in (n + 3, n + 4):
                row = {"prompt": f"{n} + 3?", "reference": str(n + 3), "completion": f"The answer is {answer}"}
                sink.write(json.dumps(row) + "\n")
    return file


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """Yields a file system of its own, of half a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a full or read-only disk needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("free_kb", [0, 24, 120])
def test_a_full_disk_is_one_message_and_the_same_command_goes_on_once_there_is_room(
    command, recorded, mounted, free_kb
):
    run = ["run", "replay", "--data", recorded, "--root", mounted / "lake", "--json"]
    filler = mounted / "filler"
    filler.write_bytes(os.urandom(512 * 1024 - free_kb * 1024 - 4096))

    full = command(*run)
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", str(mounted)], check=True)
    versions = command("versions", "--root", mounted / "lake", "--json")
    after = command(*run)

    assert full.code == 4
    assert "full" in full.message
    assert "Traceback" not in full.err
    assert versions.code in (0, 4)
    assert versions.code == 4 or versions.json == []
    assert (after.code, after.json["version"], after.json["rows"]["preferences"]) == (0, "v1", 40)


def test_a_read_only_root_is_one_message(command, recorded, mounted):
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)

    ran = command("run", "replay", "--data", recorded, "--root", mounted / "lake")

    assert ran.code == 4
    assert "read-only" in ran.message
    assert ran.message.count("\n") == 0


def test_a_second_run_of_the_same_dataset_on_one_root_is_refused_and_changes_nothing(command, recorded, tmp_path):
    with locks.claimed(tmp_path / "lake/.locks/run-replay", "a run"):
        ran = command("run", "replay", "--data", recorded)

    assert ran.code == 4
    assert "a run for dataset 'replay'" in ran.message
    assert f"process {os.getpid()}" in ran.message
    assert ran.message.count("\n") == 0
    assert command("versions", "--json").json == []


def test_two_runs_of_two_datasets_on_one_root_both_publish(start, command, recorded):
    names = ("one", "two")
    runs = [start("run", "replay", "--data", recorded, "--publish", name, "--json") for name in names]
    ended = [(run.communicate(timeout=300), run.returncode) for run in runs]

    assert [code for _, code in ended] == [0, 0], ended
    found = command("versions", "--json").json
    assert sorted((row["dataset"], row["version"], row["rows"]) for row in found) == [
        ("one", "v1", 40),
        ("two", "v1", 40),
    ]
    assert found[0]["digest"] == found[1]["digest"]
