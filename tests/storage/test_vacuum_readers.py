"""Files go while others read: whoever reads a named version, or reads within the hour, misses nothing."""

import threading
import time
from collections.abc import Callable

import polars as pl

from storage import upkeep
from storage.sql import sql
from storage.store import Store

RUN = {"recipe": "quickstart", "recipe_hash": "h1"}
SECONDS = 2.0


def _together(seconds: float, *works: Callable[[], None]) -> list[int]:
    """Runs each over and over in a thread of its own for so long; returns how often; the first error is raised."""
    until, counts, errors = time.monotonic() + seconds, [0] * len(works), list[BaseException]()

    def again(place: int, work: Callable[[], None]) -> None:
        while time.monotonic() < until and not errors:
            try:
                work()
            except BaseException as error:  # noqa: BLE001
                errors.append(error)
            counts[place] += 1

    threads = [threading.Thread(target=again, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return counts


def test_readers_of_named_versions_lose_nothing_to_a_vacuum_that_spares_nothing_else(tmp_path, pairs, prompts):
    store = Store.open(tmp_path)
    for k, ids in enumerate(("ab", "bcd")):
        store.publish("d", {"preferences": pairs(*ids)}, run_id=f"r{k}", **RUN)
    store.tag("d@v2", "best")
    rounds = iter(range(10_000))

    def publish_and_clean() -> None:
        k = next(rounds)
        own = Store.open(tmp_path)
        own.append("prompts", prompts(f"p{k}"), run_id="r")
        own.publish("other", {"preferences": pairs("x", f"y{k}")}, run_id=f"w{k}", **RUN)
        own.compact()
        upkeep._vacuum(own, 0.0, dry_run=False)  # without the hour that readers, and writers, get

    def read() -> None:
        for name, expected in (("d@v1", "ab"), ("d@best", "bcd")):
            frame = Store.open(tmp_path).read("preferences", ["pair_id"], version=name).collect()
            assert "".join(sorted(frame["pair_id"])) == expected

    def ask() -> None:
        found = sql(Store.open(tmp_path), "select count(*) as n from preferences as of 'd@v1'").read_all()
        assert found["n"].to_pylist() == [2]

    assert min(_together(SECONDS, publish_and_clean, read, ask)) > 0
    assert Store.open(tmp_path).verify() == []
    versions = [row["version"] for row in store.versions("other").to_dicts()]
    for version in versions:
        found = store.read("preferences", ["pair_id"], version=f"other@{version}").collect()["pair_id"].to_list()
        assert sorted(found) == ["x", f"y{int(version[1:]) - 1}"]


def test_readers_of_facts_go_on_while_small_files_are_merged_and_old_ones_go(tmp_path, prompts):
    Store.open(tmp_path).append("prompts", prompts("p"), run_id="r")
    rounds = iter(range(10_000))

    def write() -> None:
        own = Store.open(tmp_path)
        own.append("prompts", prompts(f"p{next(rounds)}"), run_id="r")
        own.compact()

    def clean() -> None:
        Store.open(tmp_path).vacuum(keep_hours=1.0)

    def read() -> None:
        reading = Store.open(tmp_path).read("prompts", ["prompt_id"])
        first = reading.collect()
        time.sleep(0.05)
        assert reading.collect().sort("prompt_id").equals(first.sort("prompt_id"))  # the files it began with are there
        assert first["prompt_id"].n_unique() == first.height

    counts = _together(SECONDS, write, clean, read)
    assert min(counts) > 0
    found = Store.open(tmp_path).read("prompts", ["prompt_id"]).select(pl.len()).collect().item()
    assert found == counts[0] + 1
