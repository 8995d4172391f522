import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.filters.exact_duplicates import exact_duplicates


def table(*rows):
    schema = {"pair_id": pl.String, "prompt_id": pl.String, "content_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_the_lowest_id_of_equal_pairs_stays_and_is_named():
    rows = table(("3", "p", "x"), ("1", "p", "x"), ("2", "p", "y"), ("4", "q", "x"))
    assert exact_duplicates(rows).to_dicts() == [
        {"row_id": "3", "reason": "same prompt, chosen and rejected", "value": "1"}
    ]


def test_one_pair_a_prompt():
    rows = table(("3", "p", "x"), ("1", "p", "y"), ("4", "q", "x"))
    assert exact_duplicates(rows, by="prompt").rows() == [("3", "same prompt", "1")]


ROWS = st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("xyz")), max_size=12).map(
    lambda rows: [(str(i * 7919 % 97), *row) for i, row in enumerate(rows)]
)


@pytest.mark.parametrize("by", ["pair", "prompt"])
@settings(deadline=None)
@given(ROWS, st.randoms())
def test_kept_and_removed_are_the_input_and_a_second_pass_removes_nothing(by, rows, random):
    removed = exact_duplicates(table(*rows), by=by)
    kept = table(*rows).join(removed, left_on="pair_id", right_on="row_id", how="anti")
    assert kept.height + removed.height == len(rows)
    assert removed["row_id"].is_unique().all()
    assert set(removed["row_id"]) <= {row[0] for row in rows}
    assert set(removed["value"]) <= set(kept["pair_id"])
    assert exact_duplicates(kept, by=by).height == 0
    assert exact_duplicates(table(*random.sample(rows, len(rows))), by=by).equals(removed)
