"""Disks that are full or read-only, as real mounts (which takes root)."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import StoreError
from storage.store import Store

RUN = {"run_id": "r1", "recipe": "x", "recipe_hash": "h"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Yields a file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a full disk needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path, leave: int) -> None:
    """Leaves about so many bytes free."""
    free = os.statvfs(folder)
    (folder / "filler").write_bytes(os.urandom(max(free.f_bavail * free.f_bsize - leave, 0)))


def _ids(store: Store) -> list[str]:
    return sorted(store.read("prompts", ["prompt_id"]).collect()["prompt_id"].to_list())


@pytest.mark.parametrize("leave", [0, 4096, 12288, 16384, 32768])
def test_a_full_disk_while_appending_is_one_error_and_nothing_is_half_there(small, prompts, leave):
    store = Store.open(small / "lake")
    store.append("prompts", prompts("a"), run_id="r1")
    _fill(small, leave)
    large = prompts(*(f"p{i}" for i in range(2000))).with_columns(meta=pl.lit(os.urandom(20_000).hex()))
    large = large.with_columns(meta=pl.col("meta") + pl.col("prompt_id"))

    def append_until_full():
        for part in (large, *(prompts(f"q{i}") for i in range(100))):
            store.append("prompts", part, run_id="r2")

    with pytest.raises(StoreError, match=r"appending to prompts: the disk of .* is full"):
        append_until_full()
    left = len(_ids(Store.open(small / "lake")))
    (small / "filler").unlink()
    again = Store.open(small / "lake")
    assert again.verify() == []
    assert len(_ids(again)) == left
    assert again.append("prompts", prompts("a", "z"), run_id="r3") == 1
    assert store.append("prompts", prompts("z", "y"), run_id="r3") == 1


@pytest.mark.parametrize("leave", [0, 8192, 24576, 49152, 81920])
def test_a_full_disk_while_publishing_leaves_the_old_version_current(small, pairs, leave):
    store = Store.open(small / "lake")
    store.publish("d", {"preferences": pairs("a")}, **RUN)
    _fill(small, leave)

    def publish_until_full():
        for k in range(40):
            store.publish("d", {"preferences": pairs("a", f"b{k}")}, **{**RUN, "run_id": f"r2-{k}"})

    with pytest.raises(StoreError, match=r"publishing d: the disk of .* is full"):
        publish_until_full()
    again = Store.open(small / "lake")
    before = again.versions().height
    expected = ["a"] if before == 1 else ["a", f"b{before - 2}"]
    assert sorted(again.read("preferences").collect()["pair_id"].to_list()) == expected
    (small / "filler").unlink()
    assert again.verify() == []
    assert again.publish("d", {"preferences": pairs("c")}, **{**RUN, "run_id": "r3"}).number == before + 1
    assert store.read("preferences").collect()["pair_id"].to_list() == ["c"]


def test_a_read_only_root_can_be_read_and_refuses_to_be_written(small, prompts, pairs):
    store = Store.open(small / "lake")
    store.append("prompts", prompts("a"), run_id="r1")
    store.publish("d", {"preferences": pairs("x")}, **RUN)
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    from storage.sql import sql

    store = Store.open(small / "lake")
    assert _ids(store) == ["a"]
    assert sql(store, "select count(*) as n from preferences as of v1").read_all().to_pylist() == [{"n": 1}]
    for step in (
        lambda: store.append("prompts", prompts("b"), run_id="r2"),
        lambda: store.publish("d", {"preferences": pairs("y")}, **RUN),
        lambda: store.tag("d@v1", "best"),
        lambda: store.rollback("d@v1", run_id="r2"),
        lambda: store.run_lock("d").__enter__(),
        lambda: Store.open(small / "another"),
    ):
        with pytest.raises(StoreError, match="is read-only for this user; choose another --root"):
            step()
