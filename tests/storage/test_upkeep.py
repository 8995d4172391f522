import os
import time

import polars as pl
import pytest

from schemas import tables
from schemas.errors import UsageError
from storage import upkeep
from storage.sql import sql
from storage.store import Store

RUN = {"recipe": "quickstart", "recipe_hash": "h1"}


def _age(root):
    """Makes every file look two days old, as Delta's own log entries then still do not."""
    then = time.time() - 2 * 86400
    for path in root.rglob("*.parquet"):
        os.utime(path, (then, then))


def test_vacuum_takes_what_nobody_names_and_keeps_every_named_version(tmp_path, pairs, prompts):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("p1"), run_id="r")
    store.append("prompts", prompts("p2"), run_id="r")
    for k, ids in enumerate(("ab", "bc", "cd")):
        store.publish("d", {"preferences": pairs(*ids)}, run_id=f"r{k}", **RUN)
    store.rollback("d@v1", run_id="r9")
    store.tag("d@v2", "best")
    store.compact()
    orphan = tmp_path / "preferences" / "dataset=d" / "part-orphan.parquet"
    orphan.write_bytes(b"left by a killed publish")
    _age(tmp_path)
    fresh = tmp_path / "preferences" / "dataset=d" / "part-fresh.parquet"
    fresh.write_bytes(b"a publish that is going on")
    listed = store.vacuum(dry_run=True)
    assert str(orphan) in listed
    assert orphan.exists()
    assert store.vacuum() == listed
    assert not orphan.exists()
    assert fresh.exists()
    assert store.verify() == []
    for version, expected in (("v1", "ab"), ("v2", "bc"), ("v3", "cd"), ("v4", "ab"), ("best", "bc")):
        found = store.read("preferences", ["pair_id"], version=f"d@{version}").collect()["pair_id"]
        assert "".join(sorted(found)) == expected
    assert sorted(store.read("prompts").collect()["prompt_id"]) == ["p1", "p2"]


def test_vacuum_at_once_removes_all_but_the_newest_state_and_the_versions(tmp_path, pairs, prompts):
    store = Store.open(tmp_path)
    for k in range(5):
        store.append("prompts", prompts(f"p{k}"), run_id="r")
    for k, ids in enumerate(("ab", "bc", "cd")):
        store.publish("d", {"preferences": pairs(*ids)}, run_id=f"r{k}", **RUN)
    store.compact()
    assert len(list((tmp_path / "prompts").glob("*.parquet"))) == 6
    upkeep._vacuum(store, 0.0, dry_run=False)  # without the hour of grace that readers get
    assert len(list((tmp_path / "prompts").glob("*.parquet"))) == 1
    assert len(list((tmp_path / "preferences").rglob("part-*.parquet"))) == 3
    assert store.verify() == []
    assert sql(store, "select count(*) as n from preferences as of v1").read_all()["n"].to_pylist() == [2]
    import duckdb

    with duckdb.connect(str(tmp_path / "catalog.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from prompts").fetchone() == (5,)
        assert connection.execute("select count(*) from preferences_at('v2')").fetchone() == (2,)


def test_readers_get_an_hour(tmp_path):
    with pytest.raises(UsageError, match=r"the least is 1.0"):
        Store.open(tmp_path).vacuum(keep_hours=0.5)


def test_compacting_changes_no_row_and_readers_of_the_old_files_go_on(tmp_path, prompts):
    store = Store.open(tmp_path)
    for k in range(6):
        store.append("prompts", prompts(f"p{k}"), run_id=f"r{k}")
    before = store.read("prompts").collect().sort("prompt_id")
    reading = store.read("prompts")
    assert store.compact() == {"prompts": 5}
    assert reading.collect().sort("prompt_id").equals(before)
    assert store.read("prompts").collect().sort("prompt_id").equals(before)
    assert store.compact() == {}


def test_verify_names_what_is_wrong(tmp_path, prompts, pairs):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("p1"), run_id="r")
    version = store.publish("d", {"preferences": pairs("a", "b")}, run_id="r1", **RUN)
    assert store.verify() == []
    path = tmp_path / "preferences" / version.tables["preferences"].files[0].path
    frame = pl.read_parquet(path, hive_partitioning=False)
    frame.with_columns(margin=pl.lit(9.0)).write_parquet(path)
    assert store.verify() == ["d@v1 does not have the content it was published with: its digest differs"]
    frame.head(1).write_parquet(path)
    assert store.verify() == ["d@v1 should have 2 rows in preferences, found 1"]
    path.unlink()
    assert store.verify() == [f"d@v1 lacks the file preferences/{version.tables['preferences'].files[0].path}"]
    delta = store.delta("prompts")
    again = delta.write([delta.read(delta.files()[0])])
    delta.commit(again, note={})
    assert "table prompts holds 1 keys more than once" in store.verify()
    delta.forget([part.path for part in again])
    assert any("table prompts lacks its file" in line for line in store.verify())


def test_a_table_whose_schema_grew_reads_old_and_new_rows(tmp_path, prompts, pairs, monkeypatch):
    old = Store.open(tmp_path)
    old.append("prompts", prompts("p1"), run_id="r1")
    old.append(
        "runs", pl.DataFrame({"run_id": ["r1"], "recipe": "x", "recipe_hash": "h", "status": "stopped"}), run_id="r1"
    )
    old.publish("d", {"preferences": pairs("a")}, run_id="r1", **RUN)
    old.publish("e", {"preferences": pairs("e")}, run_id="r1", **RUN)
    for name, columns in (
        ("prompts", {"zip": tables.TEXT}),
        ("preferences", {"note": tables.TEXT}),
        ("runs", {"host": tables.TEXT}),
    ):
        table = tables.TABLES[name]
        schema = table.schema
        for column, kind in columns.items():
            schema = schema.insert(2, tables.pa.field(column, kind))
        grown = tables.Table(name, table.key, table.kind, schema, table.allowed)
        monkeypatch.setitem(tables.TABLES, name, grown)
    store = Store.open(tmp_path)
    assert store.read("prompts", ["prompt_id", "zip"]).collect().rows() == [("p1", None)]
    assert store.append("prompts", prompts("p1", "p2").with_columns(zip=pl.lit("z")), run_id="r2") == 1
    done = {"run_id": ["r1"], "recipe": "x", "recipe_hash": "h", "status": "done", "host": "h1"}
    assert store.append("runs", pl.DataFrame(done), run_id="r1") == 1
    store.publish("d", {"preferences": pairs("b").with_columns(note=pl.lit("n"))}, run_id="r2", **RUN)
    assert sorted(store.read("prompts", ["prompt_id", "zip"]).collect().rows()) == [("p1", None), ("p2", "z")]
    assert sql(store, "select pair_id, note from preferences order by 1").read_all().to_pylist() == [
        {"pair_id": "b", "note": "n"}, {"pair_id": "e", "note": None},
    ]  # fmt: skip
    assert sql(store, "select note from preferences as of 'd@v1'").read_all().to_pylist() == [{"note": None}]
    assert sql(store, "select count(zip) as n from prompts").read_all().to_pylist() == [{"n": 1}]
    assert store.verify() == []
    store.compact()
    assert sorted(store.read("prompts", ["prompt_id", "zip"]).collect().rows()) == [("p1", None), ("p2", "z")]
