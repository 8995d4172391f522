import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selectors.hierarchical import hierarchical
from tests.support.scored import places, scored

BUFFER = [1.0, 2.0, 3.0, 4.0, 6.0]


def test_the_second_factor_decides_beyond_one_sample_deviation():
    tables = scored({"first": [7.0] * 5, "second": BUFFER})
    found = hierarchical(*tables, factors=["first", "second"])
    values = set(found.select("chosen_score", "rejected_score").rows())
    assert {(6.0, 4.0), (3.0, 1.0), (4.0, 2.0)} <= values  # 1.9235 is exceeded by 2
    assert not {(4.0, 3.0), (3.0, 2.0)} & values
    assert set(found["criterion"]) == {"second"}
    assert set(found["level"]) == {"2"}


def test_the_first_factor_that_decides_wins():
    tables = scored({"tests": [1.0, 0.0], "style": [0.0, 9.0]})
    found = hierarchical(*tables, factors=["tests", "style"], tolerances=[0.0, 0.0])
    assert places(found) == [(0, 1)]
    assert found["criterion"].to_list() == ["tests"]
    assert places(hierarchical(*tables, factors=["style", "tests"], tolerances=[0.0, 0.0])) == [(1, 0)]


def test_smaller_may_be_better():
    tables = scored({"length": [10.0, 20.0]})
    found = hierarchical(*tables, factors=["length"], tolerances=[0.0], smaller_is_better=["length"])
    assert found.select("chosen_id", "chosen_score", "margin").rows() == [("000", -10.0, 10.0)]


def test_a_cap_keeps_the_first_factors_widest_margins():
    tables = scored({"tests": [1.0, 0.0, 0.0], "style": [0.0, 9.0, 1.0]})
    found = hierarchical(*tables, factors=["tests", "style"], tolerances=[0.0, 0.0], per_prompt=2)
    assert places(found) == [(0, 1), (0, 2)]
    assert found["criterion"].to_list() == ["tests", "tests"]


VALUES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=7)


@settings(deadline=None, max_examples=40)
@given(VALUES)
def test_the_order_is_antisymmetric_and_decided_by_the_first_clear_factor(values):
    tables = scored({"a": [float(a) for a, _ in values], "b": [float(b) for _, b in values]})
    found = hierarchical(*tables, factors=["a", "b"], tolerances=[0.0, 0.5])
    pairs = set(places(found))
    assert not pairs & {(worse, better) for better, worse in pairs}
    limit = 0.5 * (tables[1].filter(pl.col("criterion") == "b")["score"].std(ddof=1) or 0.0)
    for i, (a, b) in enumerate(values):
        for j, (c, d) in enumerate(values):
            wins = a > c or (a == c and b - d > limit)
            assert ((i, j) in pairs) == (i != j and wins)


def test_each_factor_has_a_tolerance():
    tables = scored({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="one each is needed"):
        hierarchical(*tables, factors=["a"], tolerances=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"\['b'\], which are no factors"):
        hierarchical(*tables, factors=["a"], smaller_is_better=["b"])
