from __future__ import annotations

import polars as pl
import pytest

from tasks.weighters.stage_by_strength import stage_by_strength

ROWS = pl.DataFrame({"pair_id": list("abcde"), "strength": [0.1, 0.9, 0.5, None, 0.5]})


def test_the_clearest_come_first_in_stages_of_equal_size() -> None:
    # order b, c, e, a
    assert stage_by_strength(ROWS, stages=2)["stage"].to_list() == [2, 1, 1, None, 2]
    assert stage_by_strength(ROWS, stages=2, first="weak")["stage"].to_list() == [1, 2, 1, None, 2]


def test_row_order_and_an_old_stage_do_not_matter() -> None:
    again = stage_by_strength(stage_by_strength(ROWS, stages=3).reverse(), stages=2).reverse()
    assert again["stage"].to_list() == [2, 1, 1, None, 2]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="stages is 0"):
        stage_by_strength(ROWS, stages=0)
    with pytest.raises(ValueError, match="no margin"):
        stage_by_strength(ROWS, by="margin")
