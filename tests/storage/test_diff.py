import polars as pl
import pytest

from schemas.errors import UsageError
from storage.diff import diff
from storage.store import Store

RUN = {"recipe": "quickstart", "recipe_hash": "h1"}


def _ids(frame):
    return frame["pair_id"].to_list()


@pytest.fixture
def two(tmp_path, pairs):
    """Returns a store whose d@v1 is a, b, c, d and d@v2 is b as it was, c with another margin and weight, d, e, f."""
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a", "b", "c", "d")}, run_id="r1", **RUN)
    changed = pairs("c", margin=3.0, weight=0.5)
    longer = pairs("e", "f", margin=5.0, chosen_policy="other", rejected=[
        {"role": "assistant", "content": "a longer no", "tool_calls": None, "extra": None},
        {"role": "assistant", "content": None, "tool_calls": "[]", "extra": None},
    ])  # fmt: skip
    frame = pl.concat([pairs("b", "d"), changed, longer], how="diagonal")
    store.publish("d", {"preferences": frame}, run_id="r2", **RUN)
    return store


def test_rows_are_added_removed_and_changed_by_key(two):
    found = diff(two, "d@v1", "d@v2")
    assert (found.a, found.b, found.table, found.rows_a, found.rows_b) == ("d@v1", "d@v2", "preferences", 4, 5)
    assert (_ids(found.added), _ids(found.removed), _ids(found.changed)) == (["e", "f"], ["a"], ["c"])
    assert found.columns == {"margin": 1, "weight": 1}


def test_statistics_are_those_of_the_rows(two):
    found = diff(two, "d@v1", "d@v2")
    by = {row["measure"]: row for row in found.statistics.to_dicts()}
    assert by["rows"] == {"measure": "rows", "a": 4.0, "b": 5.0, "added": 2.0, "removed": 1.0}
    assert (by["margin_mean"]["a"], by["margin_mean"]["b"]) == (1.0, 3.0)  # (1 + 1 + 3 + 5 + 5) / 5
    assert (by["margin_median"]["b"], by["margin_mean"]["added"]) == (3.0, 5.0)
    assert by["margin_std"]["b"] == pytest.approx(2.0)  # deviations 2, 2, 0, 2, 2 over n - 1
    assert by["chosen_chars_mean"]["a"] == 5.0
    assert by["rejected_chars_mean"]["added"] == 11.0
    assert (by["chosen_longer_share"]["a"], by["chosen_longer_share"]["b"]) == (1.0, 0.6)
    assert "strength_mean" not in by
    assert found.policies.with_columns(pl.col("a", "b").round(9)).rows() == [
        ("chosen", "embedded", 1.0, 0.6), ("chosen", "other", 0.0, 0.4), ("rejected", "embedded", 1.0, 1.0),
    ]  # fmt: skip


def test_a_version_does_not_differ_from_itself_or_its_copy(two, pairs):
    assert diff(two, "v2", "v2").summary()["changed"] == 0
    two.rollback("d@v1", run_id="r3")
    found = diff(two, "v1", "v3")
    assert (found.added.height, found.removed.height, found.changed.height, found.columns) == (0, 0, 0, {})


def test_the_other_way_round_swaps_added_and_removed(two):
    there, back = diff(two, "v1", "v2"), diff(two, "v2", "v1")
    assert (_ids(there.added), _ids(there.removed)) == (_ids(back.removed), _ids(back.added))
    assert there.columns == back.columns


def test_tables_without_margins_and_empty_versions_compare_too(tmp_path):
    store = Store.open(tmp_path)
    gone = pl.DataFrame({"row_id": ["x"], "block": "length", "reason": "long", "table": "preferences"})
    store.publish("d", {"removals": gone}, run_id="r1", **RUN)
    store.publish("d", {"removals": gone.clear()}, run_id="r2", **RUN)
    found = diff(store, "v1", "v2")
    assert (found.table, found.rows_a, found.rows_b) == ("removals", 1, 0)
    assert found.removed.rows() == [("x", "length")]
    assert found.policies.height == 0
    assert diff(store, "v1", "v2", table="preferences").summary()["added"] == 0
    with pytest.raises(UsageError, match="'prompts' is not a dataset table"):
        diff(store, "v1", "v2", table="prompts")


def test_the_summary_is_json(two):
    import orjson

    found = orjson.loads(orjson.dumps(diff(two, "v1", "v2").summary()))
    assert (found["added"], found["removed"], found["changed"]) == (2, 1, 1)
