"""A small database of the shape of Defog's, accepted queries, and queries that are almost right."""

import asyncio
import contextlib
import json
import sqlite3

import pytest

from schemas.messages import assistant
from tasks.backends.sandbox import Sandbox
from tasks.judges import _sql_changed, _sql_parts
from tasks.judges._sql_dump import sqlite_setup
from tasks.judges.sql_execution import extract, sql_execution

DUMP = """
CREATE TABLE public.author (
    aid bigint NOT NULL,
    name text,
    joined date,
    seen timestamp,
    rating numeric(10,2),
    active boolean NOT NULL
);

CREATE SCHEMA IF NOT EXISTS extra;

CREATE TABLE public.writes (aid bigint NOT NULL, pid SERIAL PRIMARY KEY);

INSERT INTO public.author (aid, name, joined, seen, rating, active) VALUES
(1, 'Larry O''Hara', '2020-01-05', NOW() - INTERVAL '5 months', 4.5, true),
(2, 'Ashish', CURRENT_DATE - INTERVAL '10 days', NULL, 3, FALSE),
(3, 'Noam', DATE_TRUNC('month', CURRENT_DATE) + INTERVAL '1 day', NOW(), 4.5, true)
;
INSERT INTO public.writes VALUES (1, 10), (1, 11), (3, 12);
"""
GOLD = (
    "SELECT name FROM author WHERE rating > 4 ORDER BY aid;"
    "SELECT aid, name FROM author WHERE rating > 4 AND name <> ';' ORDER BY aid;"
)


class Judge:
    def __init__(self):
        self.loop = asyncio.Runner()
        self.sandbox = Sandbox()
        self.loop.run(self.sandbox.start())

    def __call__(self, gold, query, *, tests=None, finish="stop", **settings):
        prompt = {"messages": [], "reference": gold, "tests": tests or json.dumps({"postgres_dump": DUMP})}
        completion = {"completion_id": "c", "messages": assistant(query), "finish_reason": finish}
        (row,) = self.loop.run(self._drive(sql_execution(prompt, [completion], **settings)))
        return row

    async def _drive(self, exchange):
        try:
            requests = next(exchange)
            while True:
                requests = exchange.send([await self.sandbox.answer(request) for request in requests])
        except StopIteration as end:
            return end.value

    def close(self):
        self.loop.run(self.sandbox.close())
        self.loop.close()


@pytest.fixture(scope="module")
def judge():
    judge = Judge()
    yield judge
    judge.close()


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("SELECT name FROM author WHERE rating > 4 ORDER BY aid", id="the first accepted query"),
        pytest.param("SELECT aid, name FROM author WHERE rating > 4 ORDER BY 1", id="the second"),
        pytest.param("SELECT name AS who FROM author WHERE rating >= 4.5 ORDER BY aid;", id="another name"),
        pytest.param("SELECT name, aid FROM author WHERE rating > 4 ORDER BY aid", id="columns swapped"),
        pytest.param("Sure:\n```sql\nSELECT name FROM author WHERE rating > 4 ORDER BY aid;\n```", id="in a fence"),
        pytest.param("WITH a AS (SELECT * FROM author) SELECT name FROM a WHERE rating > 4 ORDER BY aid", id="a CTE"),
    ],
)
def test_a_query_that_returns_the_same_rows_is_right(judge, query):
    row = judge(GOLD, query)
    assert (row["outcome"], row["score"], row["rationale"]) == ("valid", 1.0, None)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        pytest.param("SELECT name FROM author WHERE rating > 4 ORDER BY aid DESC", "other rows", id="another order"),
        pytest.param("SELECT name FROM author WHERE rating >= 3", "other rows", id="another condition"),
        pytest.param("SELECT name FROM author", "other rows", id="too many rows"),
        pytest.param("SELECT name, name FROM author WHERE rating > 4 ORDER BY aid", "other rows", id="wrong columns"),
        pytest.param("SELECT name FROM author WHERE rating > 4 LIMIT 1", "other rows", id="too few rows"),
        pytest.param("SELEC name FROM author", "syntax error", id="no SQL"),
        pytest.param("SELECT nam FROM author", "no such column", id="no such column"),
        pytest.param("I do not know.", "syntax error", id="prose"),
        pytest.param("DELETE FROM author", "not authorized", id="a deletion"),
        pytest.param("DROP TABLE author", "not authorized", id="a drop"),
        pytest.param("PRAGMA writable_schema = 1", "not authorized", id="a pragma"),
        pytest.param("ATTACH 'x.db' AS x", "not authorized", id="an attachment"),
        pytest.param("SELECT load_extension('x')", "not authorized", id="an extension"),
        pytest.param("SELECT 1; SELECT 2", "one statement", id="two statements"),
        pytest.param(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n", "interrupted"
        ),
        pytest.param("SELECT length(zeroblob(1000000000))", "too big", id="too much memory"),
        pytest.param(
            "SELECT a.name FROM author a, " + ", ".join(f"author {letter}" for letter in "bcdefghij"), "more than"
        ),
    ],
)  # fmt: skip
def test_any_other_query_is_wrong_and_says_why(judge, query, why):
    row = judge(GOLD, query)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert why in row["rationale"]


def test_the_order_of_rows_counts_only_where_the_reference_asks_for_a_complete_one(judge):
    swapped = "SELECT name FROM author WHERE rating > 4 ORDER BY aid DESC"
    assert judge("SELECT name FROM author WHERE rating > 4", swapped)["score"] == 1.0
    assert judge("SELECT name FROM author WHERE rating > 4 ORDER BY rating", swapped)["score"] == 1.0
    assert judge("SELECT name FROM author WHERE rating > 4 ORDER BY name DESC", swapped, changed=0)["score"] == 1.0
    assert judge("SELECT name FROM author WHERE rating > 4 ORDER BY name", swapped)["score"] == 0.0


def test_rows_that_stand_right_by_accident_are_wrong(judge):
    tests = "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z'); CREATE TABLE none (a)"
    gold = "SELECT a, b FROM t ORDER BY a"
    assert judge(gold, "SELECT a, b FROM t ORDER BY b", tests=tests, changed=0)["score"] == 1.0
    row = judge(gold, "SELECT a, b FROM t", tests=tests)
    assert (row["outcome"], row["score"], row["rationale"]) == ("valid", 0.0, "it returns other rows")
    assert judge("SELECT b FROM t WHERE a = 1", "SELECT b FROM t LIMIT 1", tests=tests)["score"] == 0.0
    # a reference that is itself an accident asks for no more than it gives
    assert judge("SELECT b FROM t LIMIT 1", "SELECT 'x'", tests=tests)["score"] == 1.0


def test_a_table_whose_rows_cannot_be_turned_round_is_left_as_it_is(judge):
    tests = "CREATE TABLE t (a INT, b INT AS (a + 1)); INSERT INTO t VALUES (2), (1)"
    assert judge("SELECT b FROM t ORDER BY b", "SELECT a + 1 FROM t ORDER BY 1", tests=tests)["score"] == 1.0
    assert judge("SELECT b FROM t ORDER BY b", "SELECT b FROM t", tests=tests)["score"] == 0.0


def test_the_order_of_columns_can_be_made_to_count(judge):
    assert judge("SELECT aid, name FROM author", "SELECT name, aid FROM author")["score"] == 1.0
    assert judge("SELECT aid, name FROM author", "SELECT name, aid FROM author", columns="same_order")["score"] == 0.0


def test_numbers_are_equal_whatever_their_type(judge):
    assert judge("SELECT 3", "SELECT 3.0")["score"] == 1.0
    assert judge("SELECT 0.1 + 0.2", "SELECT 0.3")["score"] == 1.0
    assert judge("SELECT 3", "SELECT '3'")["score"] == 0.0
    assert judge("SELECT NULL", "SELECT 0")["score"] == 0.0


def test_partial_rewards_stand_in_meta_and_may_be_the_score(judge):
    row = judge("SELECT name FROM author", "SELECT name FROM author WHERE aid = 1", reward="partial")
    meta = json.loads(row["meta"])
    # items: {author, name} of {author, name, aid}; pairs: 3 of 7 (select name, name from, from author of those and
    # author where, where aid, aid =, = 1)
    assert (meta["execution"], meta["syntax"], meta["schema_linking"], meta["ngram"]) == (0.0, 1.0, 2 / 3, 3 / 7)
    assert row["score"] == pytest.approx((0 * 3 + 1 + 2 / 3 + 3 / 7) / 6)
    assert json.loads(judge("SELECT name FROM author", "SELEC")["meta"])["syntax"] == 0.0
    assert "rlimits" in meta["means"]


def test_references_that_do_not_run_are_no_verdict(judge):
    row = judge("SELECT x FROM nowhere", "SELECT 1")
    assert (row["outcome"], row["score"]) == ("error", None)
    assert "no such table" in row["rationale"]


def test_one_reference_that_does_not_run_leaves_the_others(judge):
    assert judge("SELECT x FROM nowhere; SELECT 1", "SELECT 1")["score"] == 1.0


def test_a_setup_of_sqlite_statements_will_do(judge):
    setup = "CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (7);"
    assert judge("SELECT 7", "SELECT x FROM t", tests=setup)["score"] == 1.0
    assert judge("SELECT 7", "SELECT x FROM t", tests=json.dumps({"setup": setup}))["score"] == 1.0


def test_a_cut_query_that_fails_is_truncated(judge):
    assert judge(GOLD, "SELECT name FROM auth", finish="length")["outcome"] == "truncated"


def test_time_stands_still(judge):
    query = "SELECT date('now'), CURRENT_DATE, strftime('%H', 'now'), datetime('now', '-1 day'), unixepoch('now')"
    gold = "SELECT '2024-07-10', '2024-07-10', '12', '2024-07-09 12:00:00', 1720612800"
    assert judge(gold, query)["score"] == 1.0
    recent = "SELECT name FROM author WHERE joined >= date('now', '-11 days')"
    assert judge(recent, "SELECT 'Ashish' UNION SELECT 'Noam'", changed=0)["score"] == 1.0


def test_a_dump_becomes_sqlite():
    setup = sqlite_setup(DUMP, "2024-07-10 12:00:00")
    assert 'CREATE TABLE "author" ("aid" INTEGER, "name" TEXT, "joined" TEXT, "seen" TEXT, "rating" REAL' in setup
    assert "(1, 'Larry O''Hara', '2020-01-05', '2024-02-10 12:00:00', 4.5, 1)" in setup
    assert "(2, 'Ashish', '2024-06-30', NULL, 3, 0)" in setup
    assert "(3, 'Noam', '2024-07-02', '2024-07-10 12:00:00', 4.5, 1)" in setup
    assert 'INSERT INTO "writes" ("aid", "pid") VALUES (1, 10), (1, 11), (3, 12)' in setup


def test_the_end_of_a_month_is_kept_within_it():
    dump = "CREATE TABLE t (d date); INSERT INTO t VALUES (CURRENT_DATE - INTERVAL '1 month');"
    assert "'2024-02-29'" in sqlite_setup(dump, "2024-03-31 00:00:00")


@pytest.mark.parametrize("dump", ["GRANT ALL ON t TO u;", "CREATE TABLE t (x int); INSERT INTO t VALUES (f(1));", "("])
def test_a_dump_that_is_not_understood_is_refused(dump):
    with pytest.raises(ValueError, match="the dump"):
        sqlite_setup(dump, "2024-07-10 12:00:00")


def test_a_semicolon_in_quotes_ends_no_statement():
    assert _sql_parts.split("SELECT ';'; SELECT 2;") == ["SELECT ';'", "SELECT 2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", True),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", False),
    ],
)
def test_only_the_outermost_order_counts(query, expected):
    assert _sql_parts.ordered(query) is expected


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("```sql\nSELECT 1\n```\nor\n```sql\nSELECT 2;\n```", "SELECT 2"),
        ("```\nSELECT 1\n```", "SELECT 1"),
        ("The query is:\n\nSELECT 1;", "SELECT 1"),
        ("```sql\nSELECT 1", "SELECT 1"),
        ("nothing", "nothing"),
    ],
)
def test_the_query_of_an_answer_is_found(text, query):
    assert extract(text) == query


def test_partial_rewards_of_a_hostile_query_are_zero():
    deep = "SELECT " + "(" * 5000 + "1" + ")" * 5000
    assert _sql_parts.schema_linking(deep, "SELECT a FROM t") == 0.0
    assert 0.0 <= _sql_parts.ngrams(deep, "SELECT a FROM t") <= 1.0


SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, age INTEGER CHECK (age > 0));
CREATE TABLE sale (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), amount REAL, day TEXT);
INSERT INTO customer VALUES (1, 'Ada', 'Bern', 36), (2, 'Bo', 'Bern', 41), (3, 'Cy', 'Bern', 29);
INSERT INTO sale VALUES (1, 1, 10.0, '2024-01-02'), (2, 1, 5.5, '2024-02-03'), (3, 2, 7.0, '2024-03-04');
"""


@pytest.mark.parametrize(
    ("gold", "query"),
    [
        pytest.param("SELECT count(*) FROM sale", "SELECT 3", id="a constant"),
        pytest.param("SELECT name FROM customer WHERE city = 'Bern'", "SELECT name FROM customer", id="no condition"),
        pytest.param("SELECT id FROM sale WHERE amount > 6", "SELECT id FROM sale WHERE amount >= 6", id="near"),
        pytest.param("SELECT id, name FROM customer ORDER BY age DESC LIMIT 5",
                     "SELECT id, name FROM customer ORDER BY age DESC LIMIT 3", id="another limit"),
        pytest.param("SELECT id FROM sale ORDER BY day", "SELECT id FROM sale ORDER BY id", id="another order"),
        pytest.param("SELECT max(age) FROM customer", "SELECT age FROM customer WHERE name = 'Bo'", id="a known row"),
        pytest.param("SELECT c.id FROM customer c LEFT JOIN sale s ON s.customer_id = c.id GROUP BY c.id",
                     "SELECT 1 UNION SELECT 2 UNION SELECT 3", id="the ids there are"),
    ],
)  # fmt: skip
def test_what_is_right_on_these_rows_alone_is_right_by_accident(judge, gold, query):
    assert judge(gold, query, tests=SHOP, changed=0)["score"] == 1.0
    row = judge(gold, query, tests=SHOP)
    assert (row["outcome"], row["score"], row["flags"]) == ("valid", 0.0, ["by_accident"])
    assert "by accident" in row["rationale"]


@pytest.mark.parametrize(
    ("gold", "query"),
    [
        ("SELECT name FROM customer WHERE city = 'Bern'", "SELECT c.name FROM customer c WHERE c.city IN ('Bern')"),
        ("SELECT sum(amount) FROM sale WHERE day >= '2024-02-01'",
         "SELECT sum(s.amount) FROM sale s WHERE day > '2024-01-31'"),
        ("SELECT name FROM customer ORDER BY age DESC LIMIT 1",
         "SELECT name FROM customer WHERE age = (SELECT max(age) FROM customer)"),
        ("SELECT c.name, count(s.id) FROM customer c LEFT JOIN sale s ON s.customer_id = c.id GROUP BY c.id",
         "SELECT name, (SELECT count(*) FROM sale WHERE customer_id = customer.id) FROM customer"),
    ],
)  # fmt: skip
def test_the_same_question_in_other_words_stays_right_on_changed_rows(judge, gold, query):
    row = judge(gold, query, tests=SHOP)
    assert (row["score"], json.loads(row["meta"])["changed"]) == (1.0, 2)


def test_references_that_differ_on_changed_rows_are_judged_on_the_first_database_and_flagged(judge):
    gold = "SELECT name FROM customer WHERE city = 'Bern'; SELECT name FROM customer"
    for query in ("SELECT name FROM customer", "SELECT name FROM customer WHERE id < 9"):
        row = judge(gold, query, tests=SHOP)
        assert (row["score"], row["flags"]) == (1.0, ["one_database"])
    assert judge("SELECT 3", "SELECT count(*) FROM sale", tests=SHOP)["flags"] == ["one_database"]


def held(seed):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.closing(connection):
        connection.executescript(SHOP)
        _sql_changed.change(connection, seed, ["Rome", 6])
        tables = ("customer", "sale")
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in tables}


@pytest.mark.parametrize("seed", range(20))
def test_changed_rows_keep_keys_types_and_constraints_and_are_the_same_for_a_seed(seed):
    rows = held(seed)
    assert rows == held(seed) != held(seed + 1)
    ids = [row[0] for row in rows["customer"]]
    assert ids[:3] == [1, 2, 3]
    assert len(set(ids)) == len(ids) == 5
    assert {row[1] for row in rows["sale"]} <= set(ids)
    assert all(isinstance(row[1], str) and row[3] > 0 for row in rows["customer"])
    assert all(isinstance(row[2], float) and len(row[3]) == 10 for row in rows["sale"])
    assert None not in [row[2] for row in rows["customer"]]
