from __future__ import annotations

import polars as pl
import pytest

from tasks.weighters.margin_by_strength import margin_by_strength

ROWS = pl.DataFrame({"pair_id": list("abcde"), "strength": [0.5, 2.0, -1.0, None, 2.0], "margin": [9.0] * 5})


def test_a_negative_strength_is_no_margin_and_an_unknown_one_none() -> None:
    assert margin_by_strength(ROWS.drop("margin"), factor=2.0)["margin"].to_list() == [1.0, 4.0, 0.0, None, 4.0]


def test_only_the_strongest_get_it_and_ties_go_by_id() -> None:
    # 4 measured, the strongest quarter is one: b before e
    assert margin_by_strength(ROWS, strongest=0.25)["margin"].to_list() == [9.0, 2.0, 9.0, 9.0, 9.0]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="strongest is 0"):
        margin_by_strength(ROWS, strongest=0.0)
    with pytest.raises(ValueError, match="no strength"):
        margin_by_strength(ROWS.drop("strength"))
