from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.filters.weak_pairs import weak_pairs

ROWS = pl.DataFrame(
    {"pair_id": list("abcde"), "strength": [0.9, 0.1, -0.5, None, 0.1], "strength_std": [0.9, 0.0, 0.1, None, 0.2]}
)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"unmeasured": "keep"}, {}, id="nothing asked, nothing taken"),
        pytest.param({}, {"d": "unmeasured"}, id="a pair nobody could judge"),
        pytest.param({"least": 0.1}, {"c": "weak", "d": "unmeasured"}, id="a pair on the bound stays"),
        pytest.param({"most": 0.5, "unmeasured": "keep"}, {"a": "strong"}, id="too strong"),
        pytest.param({"weakest": 0.5, "unmeasured": "keep"}, {"c": "weak", "b": "weak"}, id="half of four, ties by id"),
        pytest.param({"strongest": 0.25, "unmeasured": "keep"}, {"a": "strong"}, id="the strongest quarter"),
        pytest.param({"most_std": 0.5}, {"a": "disputed", "d": "unmeasured"}, id="in dispute"),
    ],
)
def test_what_is_taken_out_and_why(params: dict[str, Any], expected: dict[str, str]) -> None:
    found = weak_pairs(ROWS, **params)
    assert dict(found.select("row_id", "reason").iter_rows()) == expected


def test_the_measured_value_stands_beside_the_reason() -> None:
    assert weak_pairs(ROWS, least=0.0, most_std=0.5).rows() == [
        ("a", "disputed", "0.9"), ("c", "weak", "-0.5"), ("d", "unmeasured", None),
    ]  # fmt: skip


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        weak_pairs(ROWS, weakest=0.7, strongest=0.7)
    with pytest.raises(ValueError, match="no p_chosen"):
        weak_pairs(ROWS, by="p_chosen")
    with pytest.raises(ValueError, match="no strength_std"):
        weak_pairs(ROWS.drop("strength_std"), most_std=1.0)


@given(st.lists(st.one_of(st.none(), st.floats(-3, 3)), max_size=20), st.floats(-2, 2), st.floats(-2, 2))
def test_bounds_are_idempotent_and_kept_and_removed_make_the_whole(
    strengths: list[float | None], least: float, most: float
) -> None:
    rows = pl.DataFrame(
        {"pair_id": [str(i) for i in range(len(strengths))], "strength": strengths},
        schema={"pair_id": pl.String, "strength": pl.Float64},
    )
    removed = weak_pairs(rows, least=least, most=most)
    kept = rows.filter(~pl.col("pair_id").is_in(removed["row_id"].implode()))
    assert removed["row_id"].n_unique() == removed.height
    assert kept.height + removed.height == rows.height
    assert weak_pairs(kept, least=least, most=most).height == 0
