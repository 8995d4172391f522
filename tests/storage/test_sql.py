import json
import subprocess
import sys

import polars as pl
import pytest

from schemas.errors import UsageError
from schemas.tables import TABLES
from storage import sql as module
from storage.catalog import write_catalog
from storage.sql import sql
from storage.store import Store

RUN = {"run_id": "r1", "recipe": "quickstart", "recipe_hash": "h1"}


def _rows(store, query):
    return [tuple(row.values()) for row in sql(store, query).read_all().to_pylist()]


@pytest.fixture(scope="module")
def lake(tmp_path_factory, pairs, prompts):
    """Returns a store: quickstart@v1 = a, b (paper-1); @v2 = b, c; @q1 = z; other@v1 = o; prompt p1, then p2."""
    store = Store.open(tmp_path_factory.mktemp("lake"))
    store.append("prompts", prompts("p1"), run_id="r1")
    store.publish("quickstart", {"preferences": pairs("a", "b")}, **RUN)
    store.publish("other", {"preferences": pairs("o")}, **RUN)
    store.publish("quickstart", {"preferences": pairs("b", "c", margin=2.0)}, **{**RUN, "run_id": "r2"})
    store.publish("quickstart", {"preferences": pairs("z")}, **RUN, status="quarantined")
    store.tag("quickstart@v1", "paper-1")
    store.append("prompts", prompts("p2"), run_id="r2")
    return store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("select pair_id from preferences order by 1", "bco", id="newest of every dataset"),
        pytest.param("select pair_id from preferences AS OF v2 order by 1", "bc", id="bare version"),
        pytest.param("select pair_id from preferences as of v1 order by 1", "abo", id="version of every dataset"),
        pytest.param("select pair_id from preferences AS OF 'quickstart@v1' order by 1", "ab", id="quoted"),
        pytest.param("select pair_id from preferences AS OF quickstart@v1 order by 1", "ab", id="unquoted"),
        pytest.param("select pair_id from preferences AS OF paper-1 order by 1", "ab", id="tag"),
        pytest.param("select pair_id from (select * from preferences AS OF paper-1) order by 1", "ab", id="subquery"),
        pytest.param("select pair_id from preferences AS OF q1", "z", id="quarantine"),
        pytest.param("select pair_id from preferences AS OF TIMESTAMP '2999-01-01' order by 1", "bco", id="time"),
        pytest.param("select pair_id from preferences AS OF TIMESTAMP '2001-01-01T10:00+01:00'", "", id="before all"),
        pytest.param("select prompt_id[2:] from prompts AS OF 'quickstart@v1'", "1", id="facts of then"),
        pytest.param("select prompt_id[2:] from prompts order by 1", "12", id="facts of now"),
        pytest.param("select p.pair_id from preferences AS OF 'quickstart@v1' p order by 1", "ab", id="alias"),
        pytest.param(
            "select p.pair_id from preferences AS OF 'quickstart@v1' as p order by 1", "ab", id="alias with as"
        ),
        pytest.param("select preferences.pair_id from preferences AS OF q1 where margin > 0", "z", id="no alias"),
        pytest.param("select pair_id from preferences_at('quickstart@paper-1') order by 1", "ab", id="macro"),
        pytest.param(
            "select new.pair_id from preferences AS OF 'quickstart@v2' new join preferences AS OF 'quickstart@v1' old"
            " using (pair_id)",
            "b",
            id="two versions joined",
        ),
        pytest.param("select 'preferences AS OF v9'[1:1] -- preferences AS OF v9", "p", id="literal and comment"),
        pytest.param("select $$preferences AS OF v9$$[1:1] /* preferences as of v9 */", "p", id="dollar quotes"),
        pytest.param("select left('é', 0) || pair_id from preferences AS OF q1", "z", id="not ASCII before it"),
        pytest.param("from preferences AS OF q1 select pair_id;", "z", id="from first"),
        pytest.param("select 'x' as of", "x", id="of as an alias"),
    ],
)
def test_queries_read_the_version_they_name(lake, query, expected):
    assert "".join(row[0] for row in _rows(lake, query)) == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param(
            "select * from preferences AS OF v7", r"AS OF v7: there is no such version; did you mean", id="version"
        ),
        pytest.param("select * from preferences_at('v7')", "no version v7; there are: .*quickstart@v1", id="in macro"),
        pytest.param("select * from nothing AS OF v1", "'nothing', which is no table", id="as of no table"),
        pytest.param("select * from preferences AS OF", "AS OF what", id="as of nothing"),
        pytest.param("select * from preferences AS OF TIMESTAMP 'soon'", "expected a time such as", id="no time"),
        pytest.param(
            "select * from preference", "preference.*does not exist(.|\n)*The tables are: prompts, ", id="no table"
        ),
        pytest.param("select nothing from preferences", "nothing(.|\n)*The tables are", id="no column"),
        pytest.param("selec 1", "syntax error", id="syntax"),
        pytest.param("select 1; select 2", "expected one query, found 2", id="two"),
        pytest.param("", "expected one query, found 0", id="none"),
        pytest.param("select pair_id::int from preferences", "Could not convert", id="while it runs"),
    ],
)
def test_a_wrong_query_is_a_usage_error_that_says_why(lake, query, says):
    with pytest.raises(UsageError, match=says):
        _rows(lake, query)


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to '{out}'", "with x as (copy (select 1) to '{out}') select 1",
        "explain analyze copy (select 1) to '{out}'", "explain (analyze) copy (select 1) to '{out}'",
        "export database '{out}'", "attach '{out}' as other", "create table t as select 1", "drop view preferences",
        "insert into preferences select * from preferences", "delete from preferences",
        "update preferences set margin = 0", "set threads = 1",
        "pragma database_list", "install httpfs", "load httpfs", "call checkpoint()", "vacuum",
        "with x as (insert into preferences select * from preferences returning *) select * from x",
        "explain /* */ analyze /* */ copy (select 1) to '{out}'", "prepare q as select 1", "begin",
    ],
)  # fmt: skip
def test_nothing_can_be_written_through_a_query(lake, tmp_path, query):
    before = sorted(lake.root.folder.rglob("*"))
    with pytest.raises(UsageError):
        _rows(lake, query.format(out=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
    assert sorted(lake.root.folder.rglob("*")) == before


@pytest.mark.parametrize(
    "query",
    ["describe preferences", "show tables", "explain select 1", "explain analyze select 1", "summarize prompts",
     "pivot preferences on pair_id using count(*)", "values (1)", "table prompts", "with x as (select 1) from x"],
)  # fmt: skip
def test_other_ways_to_read_work_too(lake, query):
    assert _rows(lake, query)


def test_results_stream_and_times_are_utc(lake):
    reader = sql(lake, "select range as n, timestamp '2026-01-01' as t from range(100000)")
    batches = list(reader)
    assert len(batches) > 1
    assert sum(batch.num_rows for batch in batches) == 100_000


def test_a_fresh_process_with_duckdb_alone_joins_the_catalog(tmp_path, prompts, completions, judgments, pairs):
    store = Store.open(tmp_path / "lake")
    store.append("prompts", prompts("p1"), run_id="r1")
    store.append("completions", completions(("c1", "p1", "right"), ("c2", "p1", "no")), run_id="r1")
    scored = judgments(("j1", "c1", "valid", 1.0), ("j2", "c2", "valid", 0.0), ("j3", "c2", "unparsable", None))
    store.append("judgments", scored, run_id="r1")
    store.publish("quickstart", {"preferences": pairs("a")}, **RUN)
    store.publish("quickstart", {"preferences": pairs("b", "c")}, **{**RUN, "run_id": "r2"})
    code = f"""
import sys
sys.modules.update(dict.fromkeys(["pytz", "pyarrow", "polars", "pandas", "numpy"]))
import duckdb
db = duckdb.connect({str(tmp_path / "lake" / "catalog.duckdb")!r}, read_only=True)
db.execute("set autoinstall_known_extensions = false; set autoload_known_extensions = false")
print(db.execute('''
    select p.pair_id, c.messages[1].content, j.outcome, j.score, r.messages[1].content
    from preferences p join completions c on c.completion_id = p.chosen_id
    join judgments j on j.subjects[1] = c.completion_id join completions r on r.completion_id = p.rejected_id
    order by 1''').fetchall())
print(db.execute("select pair_id from preferences_at('quickstart@v1')").fetchall())
print(len(db.execute("select * from completions").fetchall()), db.execute("select count(*) from rankings").fetchone())
print(sorted(row[0] for row in db.execute("select view_name from duckdb_views() where not internal").fetchall()))
print([m for m in sys.modules if m.split(".")[0] in ("storage", "schemas", "deltalake")])
"""
    command = [sys.executable, "-I", "-c", code]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [
        "[('b', 'right', 'valid', 1.0, 'no'), ('c', 'right', 'valid', 1.0, 'no')]",
        "[('a',)]",
        "2 (0,)",
        str(sorted([*TABLES, "measures"])),
        "[]",
    ]


def test_every_view_has_the_columns_and_types_of_its_table(tmp_path):
    import duckdb

    store = Store.open(tmp_path)
    write_catalog(store)
    with duckdb.connect(str(tmp_path / "catalog.duckdb"), read_only=True) as connection:
        for table in TABLES.values():
            relation = connection.sql(f"select * from {table.name}")
            assert relation.columns == table.schema.names
            assert relation.fetchall() == []
            if table.kind == "dataset":
                with pytest.raises(duckdb.Error, match="there are: none"):
                    connection.sql(f"select * from {table.name}_at('v1')")


def test_an_open_catalog_is_not_disturbed_by_a_new_one(tmp_path, pairs):
    import duckdb

    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a")}, **RUN)
    with duckdb.connect(str(tmp_path / "catalog.duckdb"), read_only=True) as connection:
        store.publish("d", {"preferences": pairs("a", "b")}, **{**RUN, "run_id": "r2"})
        assert connection.execute("select count(*) from preferences").fetchone() == (1,)
    assert not list(tmp_path.glob(".catalog*"))


def test_a_dataset_whose_name_looks_like_a_date_or_number_stays_text(tmp_path, pairs):
    store = Store.open(tmp_path)
    for name in ("2026-01-01", "007"):
        store.publish(name, {"preferences": pairs("a")}, **RUN)
    assert _rows(store, "select dataset from preferences order by 1") == [("007",), ("2026-01-01",)]
    assert store.read("preferences").collect()["dataset"].sort().to_list() == ["007", "2026-01-01"]
    assert pl.read_delta(str(tmp_path / "preferences")).height == 2


def test_tokens_keep_their_places_beyond_ascii():
    query = "select 'ü€😀' as \"naïve\" from preferences -- ö"
    assert [token.text for token in module._tokens(query)][-2:] == ["preferences", "-- ö"]
    assert all(query[token.start : token.end] == token.text for token in module._tokens(query))


def test_what_a_run_measured_is_a_view_with_a_row_a_measure(tmp_path):
    store = Store.open(tmp_path)
    measured = {"measures": [{"measure": "vendi", "of": "chosen", "value": 3.5, "n": 10}], "reason": None}
    rows = {**RUN, "status": "done", "dataset": "d", "version": "v1"}
    store.append("runs", pl.DataFrame([rows | {"metrics": json.dumps(measured)}]), run_id="r1")
    store.append("runs", pl.DataFrame([rows | {"run_id": "r2", "metrics": "{}"}]), run_id="r2")
    store.append("runs", pl.DataFrame([rows | {"run_id": "r3"}]), run_id="r3")
    query = 'select run_id, dataset, version, measure, "of", value, n from measures'
    assert _rows(store, query) == [("r1", "d", "v1", "vendi", "chosen", 3.5, 10)]
