from datetime import timedelta

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import DataError, StoreError, UsageError
from storage.publish import promote
from storage.store import Store
from storage.versions import check_tag

RUN = {"run_id": "r1", "recipe": "quickstart", "recipe_hash": "h1"}


def _pairs(store, version=None):
    return sorted(store.read("preferences", ["pair_id"], version=version).collect()["pair_id"].to_list())


def _removed(*ids):
    return pl.DataFrame({"row_id": list(ids), "block": "length", "reason": "too long", "table": "preferences"})


def test_each_publish_is_a_new_version_and_the_old_ones_stay(tmp_path, pairs):
    store = Store.open(tmp_path)
    first = store.publish("quickstart", {"preferences": pairs("a", "b")}, **RUN, gates={"ok": True}, meta='{"n": 1}')
    second = store.publish("quickstart", {"preferences": pairs("b", "c", "d")}, **{**RUN, "run_id": "r2"})
    assert (first.name, first.rows, first.status, first.gates, first.meta) == (
        "quickstart@v1", 2, "published", '{"ok":true}', '{"n": 1}',
    )  # fmt: skip
    assert (second.name, second.rows) == ("quickstart@v2", 3)
    assert _pairs(store) == ["b", "c", "d"]
    assert _pairs(store, "quickstart@v1") == ["a", "b"]
    assert store.read("preferences").collect()["dataset"].unique().to_list() == ["quickstart"]
    listed = Store.open(tmp_path).versions("quickstart")
    assert listed.select("version", "rows", "run_id", "recipe").rows() == [
        ("v1", 2, "r1", "quickstart"), ("v2", 3, "r2", "quickstart"),
    ]  # fmt: skip


def test_the_newest_of_every_dataset_is_what_reads_see(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("one", {"preferences": pairs("a")}, **RUN)
    store.publish("two", {"preferences": pairs("b")}, **RUN)
    store.publish("one", {"preferences": pairs("c")}, **{**RUN, "run_id": "r2"})
    assert _pairs(store) == ["b", "c"]
    assert _pairs(store, "one") == ["c"]


def test_a_table_that_is_not_given_is_empty_in_that_version(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a"), "removals": _removed("x")}, **RUN)
    store.publish("d", {"preferences": pairs("b")}, **{**RUN, "run_id": "r2"})
    assert store.read("removals").collect().height == 0
    assert store.read("removals", version="d@v1").collect()["row_id"].to_list() == ["x"]
    assert pl.read_delta(str(tmp_path / "removals")).height == 0


def test_a_version_with_no_row_at_all_is_a_version(tmp_path, pairs):
    store = Store.open(tmp_path)
    assert store.publish("d", {"preferences": pairs()}, **RUN).rows == 0
    assert store.publish("d", {}, **{**RUN, "run_id": "r2"}).name == "d@v2"
    assert _pairs(store) == []
    assert store.verify() == []


def test_quarantined_rows_are_versions_of_their_own_that_no_plain_reader_meets(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("good")}, **RUN)
    held = store.publish("d", {"preferences": pairs("bad")}, **RUN, status="quarantined")
    assert held.name == "d@q1"
    assert _pairs(store) == ["good"]
    assert _pairs(store, "d@q1") == ["bad"]
    raw = pl.read_delta(str(tmp_path / "preferences"))
    assert sorted(raw.select("dataset", "pair_id").rows()) == [("d", "good"), ("d.quarantine", "bad")]
    assert store.publish("d", {"preferences": pairs("good", "new")}, **{**RUN, "run_id": "r2"}).name == "d@v2"


def test_a_dataset_that_is_only_in_quarantine_has_no_current_version(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("bad")}, **RUN, status="quarantined")
    assert _pairs(store) == []
    with pytest.raises(UsageError, match="only versions in quarantine: q1"):
        store.resolve("d")


def test_the_same_content_has_the_same_digest_whatever_run_order_batches_or_dataset(tmp_path, pairs):
    store = Store.open(tmp_path)
    frame = pairs(*(f"pair{i:03}" for i in range(50)))
    one = store.publish("one", {"preferences": frame}, **RUN)
    again = store.publish("two", {"preferences": frame.reverse()}, run_id="r9", recipe="x", recipe_hash="y")
    other = store.publish("one", {"preferences": pairs("pair000", margin=2.0)}, **{**RUN, "run_id": "r2"})
    arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    stream = pa.RecordBatchReader.from_batches(arrow.schema, arrow.to_batches(max_chunksize=7))
    streamed = store.publish("three", {"preferences": stream}, **RUN)
    assert one.digest == again.digest == streamed.digest
    assert other.digest != one.digest


def test_parquet_files_are_published_as_they_stream_by(tmp_path, pairs):
    store = Store.open(tmp_path / "lake")
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    pairs("a", "b").write_parquet(paths[0])
    pairs("c").write_parquet(paths[1])
    assert store.publish("d", {"preferences": paths}, **RUN).rows == 3
    assert _pairs(store) == ["a", "b", "c"]


def test_a_key_twice_in_different_files_is_refused_and_leaves_nothing(tmp_path, pairs):
    store = Store.open(tmp_path / "lake")
    pairs("a", "b").write_parquet(tmp_path / "1.parquet")
    files = [tmp_path / "1.parquet", tmp_path / "1.parquet"]
    with pytest.raises(DataError, match=r"row 3, field 'pair_id'.*\(a\) twice"):
        store.publish("d", {"removals": _removed("x"), "preferences": files}, **RUN)
    assert store.versions().height == 0
    assert not list((tmp_path / "lake").rglob("part-*.parquet"))


def test_publishing_the_same_in_the_same_run_again_gives_the_version_there_is(tmp_path, pairs):
    store = Store.open(tmp_path)
    first = store.publish("d", {"preferences": pairs("a", "b")}, **RUN)
    again = store.publish("d", {"preferences": pairs("b", "a")}, **RUN)
    assert again.name == first.name
    assert store.versions().height == 1
    assert len(list((tmp_path / "preferences").rglob("part-*.parquet"))) == 1
    assert store.publish("d", {"preferences": pairs("a", "b")}, **{**RUN, "run_id": "next night"}).name == "d@v2"


def test_names_resolve_to_versions(tmp_path, pairs):
    store = Store.open(tmp_path)
    v1 = store.publish("quickstart", {"preferences": pairs("a")}, **RUN)
    v2 = store.publish("quickstart", {"preferences": pairs("b")}, **{**RUN, "run_id": "r2"})
    store.tag("quickstart@v1", "best")
    between = v1.created_at + (v2.created_at - v1.created_at) / 2
    for text, expected in {
        "quickstart": "v2", "quickstart@latest": "v2", "quickstart@v1": "v1", "quickstart@best": "v1", "best": "v1",
        "v2": "v2", f"quickstart@{between.isoformat()}": "v1", "quickstart@2999-01-01": "v2",
        f"quickstart@{v2.created_at.replace(tzinfo=None).isoformat()}": "v2",
    }.items():  # fmt: skip
        assert store.resolve(text).version == expected, text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("v9", r"no dataset here has a version 'v9': .*There are: v1", id="no such version anywhere"),
        pytest.param("quickstrat", r"no dataset 'quickstrat'.*did you mean 'quickstart'", id="misspelt dataset"),
        pytest.param("quickstart@v9", r"no version, tag or time 'v9'.*There are: v1", id="no such version"),
        pytest.param("quickstart@2001-01-01", "no published version at 2001-01-01", id="before the first"),
        pytest.param("v1", "several datasets have a v1: quickstart@v1, other@v1", id="ambiguous"),
    ],
)
def test_a_name_that_means_nothing_says_what_there_is(tmp_path, pairs, text, says):
    store = Store.open(tmp_path)
    store.publish("quickstart", {"preferences": pairs("a")}, **RUN)
    store.publish("other", {"preferences": pairs("a")}, **RUN)
    with pytest.raises(UsageError, match=says):
        store.resolve(text)


def test_a_tag_moves_from_version_to_version(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a")}, **RUN)
    store.publish("d", {"preferences": pairs("b")}, **{**RUN, "run_id": "r2"})
    store.tag("d@v1", "best")
    store.tag("d@v1", "paper")
    store.tag("d@v2", "best")
    assert store.versions().select("version", "tags").rows() == [("v1", ["paper"]), ("v2", ["best"])]
    assert _pairs(store, "d@best") == ["b"]


@pytest.mark.parametrize("tag", ["v3", "q1", "2026", "a b", "", "x@y", "latest"])
def test_a_tag_that_could_mean_something_else_is_refused(tag):
    with pytest.raises(UsageError, match="cannot be a tag"):
        check_tag(tag)


def test_rolling_back_publishes_the_old_content_as_a_new_version(tmp_path, pairs):
    store = Store.open(tmp_path)
    v1 = store.publish("d", {"preferences": pairs("a"), "removals": _removed("x")}, **RUN)
    store.publish("d", {"preferences": pairs("b")}, **{**RUN, "run_id": "r2"})
    v3 = store.rollback("d@v1", run_id="r3")
    assert (v3.name, v3.rows, v3.digest, v3.run_id) == ("d@v3", 1, v1.digest, "r3")
    assert v3.meta == '{"rollback_of":"d@v1"}'
    assert _pairs(store) == ["a"]
    assert store.read("removals").collect()["row_id"].to_list() == ["x"]
    assert pl.read_delta(str(tmp_path / "preferences"))["pair_id"].to_list() == ["a"]
    assert store.rollback("d@v2", run_id="r4").name == "d@v4"
    assert _pairs(store) == ["b"]
    assert store.verify() == []


def test_what_a_gate_held_back_can_be_published_with_a_reason(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a")}, **RUN)
    held = store.publish("d", {"preferences": pairs("b", "c")}, **{**RUN, "run_id": "r2"}, status="quarantined")
    made = promote(store, "d@q1", because=" read them all ")
    assert (made.name, made.status, made.rows, made.digest) == ("d@v2", "published", 2, held.digest)
    assert (made.run_id, made.meta) == ("r2", '{"promoted_from":"d@q1","because":"read them all"}')
    assert _pairs(store) == ["b", "c"]
    assert _pairs(store, "d@q1") == ["b", "c"]
    assert store.verify() == []
    with pytest.raises(UsageError, match="d@v2 is published already"):
        promote(store, "d@v2", because="x")
    with pytest.raises(UsageError, match="say why"):
        promote(store, "d@q1", because=" ")


def test_rolling_back_to_what_is_gone_or_was_refused_changes_nothing(tmp_path, pairs):
    store = Store.open(tmp_path)
    v1 = store.publish("d", {"preferences": pairs("a")}, **RUN)
    store.publish("d", {"preferences": pairs("b")}, **{**RUN, "run_id": "r2"})
    store.publish("d", {"preferences": pairs("c")}, **RUN, status="quarantined")
    (tmp_path / "preferences" / v1.tables["preferences"].files[0].path).unlink()
    with pytest.raises(StoreError, match=r"d@v1 lacks its file"):
        store.rollback("d@v1", run_id="r")
    with pytest.raises(UsageError, match="in quarantine"):
        store.rollback("d@q1", run_id="r")
    assert store.resolve("d").version == "v2"
    assert "d@v1 lacks the file" in store.verify()[0]


@pytest.mark.parametrize(
    ("dataset", "tables", "how", "says"),
    [
        pytest.param("a/b", {}, {}, "cannot name a dataset", id="slash"),
        pytest.param("d.quarantine", {}, {}, "cannot name a dataset", id="reserved"),
        pytest.param("d", {"prompts": None}, {}, "not a dataset table", id="fact table"),
        pytest.param("d", {}, {"status": "held"}, "allowed are published, quarantined", id="status"),
    ],
)
def test_publishing_under_a_wrong_name_is_refused(tmp_path, dataset, tables, how, says):
    with pytest.raises(UsageError, match=says):
        Store.open(tmp_path).publish(dataset, tables, **RUN, **how)


def test_large_contents_go_into_several_files_of_the_same_rows(tmp_path, pairs, monkeypatch):
    monkeypatch.setattr("storage.files.ROW_GROUP", 10)
    monkeypatch.setattr("storage.files.FILE_BYTES", 20_000)
    store = Store.open(tmp_path)
    ids = [f"{i:04}" for i in range(200)]
    version = store.publish("d", {"preferences": pairs(*ids)}, **RUN)
    held = version.tables["preferences"]
    assert len(held.files) > 1
    assert sum(part.rows for part in held.files) == held.rows == 200
    assert _pairs(store) == ids
    assert store.verify() == []


def test_facts_as_of_a_version_are_those_there_were_when_it_was_published(tmp_path, prompts, pairs):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("a"), run_id="r")
    store.publish("d", {"preferences": pairs("x")}, **RUN)
    store.append("prompts", prompts("b"), run_id="r")
    assert store.read("prompts", version="d@v1").collect()["prompt_id"].to_list() == ["a"]


def test_a_version_row_says_what_it_consists_of(tmp_path, pairs):
    store = Store.open(tmp_path)
    version = store.publish("d", {"preferences": pairs("a", "b")}, **RUN)
    held = version.tables["preferences"]
    assert held.version == store.delta("preferences").version
    assert pq.read_metadata(tmp_path / "preferences" / held.files[0].path).num_rows == 2
    assert store.resolve("d") == version
    assert version.created_at.utcoffset() == timedelta(0)
