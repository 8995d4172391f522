import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import DataError, StoreError, UsageError
from storage.store import Store

IDS = [f"p{i}" for i in range(12)]


def _ids(store, table="prompts", key="prompt_id", **how):
    return sorted(store.read(table, [key], **how).collect()[key].to_list())


def test_appended_rows_come_back_with_run_and_time(tmp_path, prompts):
    store = Store.open(tmp_path / "lake")
    assert store.append("prompts", prompts("a", "b"), run_id="r1") == 2
    rows = store.read("prompts").collect().sort("prompt_id")
    assert rows["prompt_id"].to_list() == ["a", "b"]
    assert rows["run_id"].to_list() == ["r1", "r1"]
    assert rows["messages"][0][0]["content"] == "question a"
    assert str(rows["created_at"].dtype) == "Datetime(time_unit='us', time_zone='UTC')"


def test_a_row_whose_key_is_there_is_not_added_again_and_the_first_stays(tmp_path, prompts):
    store = Store.open(tmp_path)
    assert store.append("prompts", prompts("a"), run_id="r1") == 1
    assert store.append("prompts", prompts("a", "b"), run_id="r2") == 1
    assert store.append("prompts", prompts("b", "a"), run_id="r3") == 0
    rows = store.read("prompts", ["prompt_id", "run_id"]).collect().sort("prompt_id").rows()
    assert rows == [("a", "r1"), ("b", "r2")]


def test_another_opening_of_the_root_knows_what_is_there(tmp_path, prompts):
    first, second = Store.open(tmp_path), Store.open(tmp_path)
    first.append("prompts", prompts("a", "b"), run_id="r1")
    assert second.append("prompts", prompts("b", "c"), run_id="r2") == 1
    assert first.append("prompts", prompts("c", "d"), run_id="r3") == 1
    assert Store.open(tmp_path).append("prompts", prompts("a", "b", "c", "d"), run_id="r4") == 0
    assert _ids(first) == ["a", "b", "c", "d"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shards=st.lists(st.lists(st.sampled_from(IDS), min_size=1, unique=True), min_size=1, max_size=6),
    reopen=st.booleans(),
)
def test_any_split_into_shards_in_any_order_gives_each_key_once(tmp_path_factory, prompts, shards, reopen):
    root = tmp_path_factory.mktemp("lake")
    store, added = Store.open(root), 0
    for shard in shards:
        store = Store.open(root) if reopen else store
        added += store.append("prompts", prompts(*shard), run_id="r")
    expected = sorted({key for shard in shards for key in shard})
    assert _ids(store) == expected
    assert added == len(expected)


def test_the_commit_carries_run_recipe_and_rows(tmp_path, prompts):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("a", "b"), run_id="r1", recipe="simpo", recipe_hash="h1")
    note = store.delta("prompts").each(lambda handle: handle.history(1))[0]
    assert (note["run_id"], note["recipe"], note["recipe_hash"], note["rows"]) == ("r1", "simpo", "h1", 2)


def test_an_answer_takes_the_place_of_an_error_and_nothing_else_does(tmp_path, judgments):
    store = Store.open(tmp_path)
    store.append("judgments", judgments(("j1", "c1", "error", None), ("j2", "c2", "valid", 1.0)), run_id="r1")
    assert store.append("judgments", judgments(("j1", "c1", "error", None)), run_id="r2") == 0
    later = judgments(("j1", "c1", "valid", 0.5), ("j2", "c2", "valid", 0.0), ("j3", "c3", "tie", None))
    assert store.append("judgments", later, run_id="r3") == 2
    rows = store.read("judgments", ["judgment_id", "outcome", "score", "run_id"]).collect().sort("judgment_id").rows()
    assert rows == [("j1", "valid", 0.5, "r3"), ("j2", "valid", 1.0, "r1"), ("j3", "tie", None, "r3")]
    assert store.append("judgments", later, run_id="r4") == 0
    assert Store.open(tmp_path).append("judgments", later, run_id="r5") == 0


def test_a_run_that_reports_again_replaces_its_row(tmp_path):
    store = Store.open(tmp_path)
    row = {"run_id": ["r1"], "recipe": "x", "recipe_hash": "h", "status": "stopped"}
    store.append("runs", pl.DataFrame(row), run_id="r1")
    store.append("runs", pl.DataFrame({**row, "status": "done"}), run_id="r1")
    assert store.read("runs", ["run_id", "status"]).collect().rows() == [("r1", "done")]


def test_threads_that_append_the_same_rows_add_each_once(tmp_path, prompts):
    store, added = Store.open(tmp_path), []
    shards = [prompts(*(f"p{i}" for i in range(start, start + 20))) for start in (0, 5, 10, 15)]
    work = [
        threading.Thread(target=lambda shard=shard: added.append(store.append("prompts", shard, run_id="r")))
        for shard in shards
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sum(added) == 35
    assert len(_ids(store)) == 35


def test_writers_that_share_no_lock_collide_and_try_again(tmp_path, prompts, monkeypatch):
    monkeypatch.setattr(Store, "exclusive", lambda self, name: contextlib.nullcontext())  # as on different machines
    Store.open(tmp_path).append("prompts", prompts("first"), run_id="r")
    added = []
    shards = [prompts(*(f"p{i}" for i in range(start, start + 20))) for start in (0, 5, 10, 15)]
    work = [
        threading.Thread(
            target=lambda shard=shard: added.append(Store.open(tmp_path).append("prompts", shard, run_id="r"))
        )
        for shard in shards
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sum(added) == 35
    assert len(_ids(Store.open(tmp_path))) == 36
    assert len(list((tmp_path / "prompts").glob("part-*.parquet"))) == 1 + sum(count > 0 for count in added)


def test_reading_picks_columns_and_prompts(tmp_path, completions):
    store = Store.open(tmp_path)
    store.append("completions", completions(("c1", "p1", "x"), ("c2", "p2", "y"), ("c3", "p1", "z")), run_id="r")
    found = store.read("completions", ["completion_id"], prompt_ids=["p1"]).collect()
    assert found.columns == ["completion_id"]
    assert sorted(found["completion_id"]) == ["c1", "c3"]
    assert store.read("completions", prompt_ids=[]).collect().height == 0


def test_a_table_without_rows_reads_as_empty_with_its_columns(tmp_path):
    store = Store.open(tmp_path)
    for name in ("completions", "preferences", "versions"):
        frame = store.read(name).collect()
        assert frame.height == 0
        assert "created_at" in frame.columns


def test_many_commits_leave_a_table_that_opens_and_compacts(tmp_path, prompts):
    store = Store.open(tmp_path)
    for i in range(55):  # past a checkpoint
        store.append("prompts", prompts(f"p{i}"), run_id="r")
    assert list((tmp_path / "prompts" / "_delta_log").glob("*.checkpoint.parquet"))
    assert Store.open(tmp_path).append("prompts", prompts("p7", "new"), run_id="r") == 1
    assert store.compact() == {"prompts": 55}
    assert len(_ids(store)) == 56
    assert store.append("prompts", prompts("p7", "p54"), run_id="r") == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"name": "prompt"}, "did you mean 'prompts'", id="unknown table"),
        pytest.param({"name": "preferences"}, "publish it", id="a dataset table"),
    ],
)
def test_appending_to_the_wrong_table_says_what_to_do(tmp_path, prompts, wrong, says):
    with pytest.raises(UsageError, match=says):
        Store.open(tmp_path).append(frame=prompts("a"), run_id="r", **wrong)


def test_rows_that_do_not_fit_change_nothing(tmp_path, prompts):
    store = Store.open(tmp_path)
    with pytest.raises(DataError, match=r"row 2, field 'prompt_id'.*null is not allowed"):
        store.append("prompts", prompts("a", None), run_id="r")
    with pytest.raises(DataError, match="twice"):
        store.append("prompts", prompts("a", "a"), run_id="r")
    assert not (tmp_path / "prompts").exists()


def test_reading_what_is_not_there_says_what_is(tmp_path):
    store = Store.open(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'messages'"):
        store.read("prompts", ["mesages"])
    with pytest.raises(UsageError, match="no column prompt_id"):
        store.read("runs", prompt_ids=["p"])
    with pytest.raises(UsageError, match="no dataset 'quickstart'"):
        store.read("preferences", version="quickstart@v1")


def test_opening_what_is_no_lake_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "file")
    with pytest.raises(StoreError, match="no lake at"):
        Store.open(tmp_path / "none", create=False)
    with pytest.raises(StoreError, match="opening the lake"):
        Store.open(tmp_path / "file" / "below")
    with pytest.raises(StoreError, match="rename it"):
        Store.open(tmp_path / "a%20b")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_table_is_a_store_error_that_names_it(tmp_path, prompts):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("a"), run_id="r")
    for entry in (tmp_path / "prompts" / "_delta_log").glob("*.json"):
        entry.write_bytes(b"{ not json")
    with pytest.raises(StoreError, match="reading prompts"):
        Store.open(tmp_path).read("prompts")


def test_a_root_with_odd_characters_works(tmp_path, prompts, pairs):
    root = tmp_path / "a b%=[1]*ü'#?"
    store = Store.open(root)
    store.append("prompts", prompts("a"), run_id="r")
    store.append("prompts", prompts("a", "b"), run_id="r")
    store.publish("d", {"preferences": pairs("x")}, run_id="r", recipe="q", recipe_hash="h")
    assert _ids(store) == ["a", "b"]
    assert _ids(store, "preferences", "pair_id") == ["x"]
    from storage.sql import sql

    assert sql(store, "select dataset, pair_id from preferences as of v1").read_all().to_pylist() == [
        {"dataset": "d", "pair_id": "x"}
    ]
    assert store.verify() == []


def test_the_key_column_alone_is_read_to_know_what_is_there():
    from storage.keys import KeyIndex, KeySet

    keys = KeySet()
    for start in range(0, 3000, 7):
        keys.add(pl.Series(range(start, start + 10), dtype=pl.UInt64).to_numpy())
    assert len(keys) == 3006
    asked = pl.Series([0, 3005, 3006, 10**15], dtype=pl.UInt64).to_numpy()
    assert keys.contains(asked).tolist() == [True, True, False, False]
    assert not KeySet().contains(asked).any()
    assert KeyIndex().version == -1


def test_importing_the_store_loads_neither_duckdb_nor_prefect():
    code = "import sys, storage.store; print([m for m in ('duckdb', 'prefect', 'pandas') if m in sys.modules])"
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
