import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors._sets import stretches


@given(st.lists(st.integers(1, 6), max_size=30), st.integers(1, 12))
def test_stretches_are_all_rows_in_order_and_cut_no_group(sizes, size):
    rows = pl.DataFrame({"group": [g for g, n in enumerate(sizes) for _ in range(n)]}, schema={"group": pl.Int64})
    found = list(stretches(rows, size))
    assert pl.concat([part for _, part in found]).equals(rows)
    assert [begin for begin, _ in found] == [sum(part.height for _, part in found[:i]) for i in range(len(found))]
    groups = [set(part["group"]) for _, part in found]
    assert all(one.isdisjoint(other) for i, one in enumerate(groups) for other in groups[:i])
    assert all(part.height <= size + 6 for _, part in found)
