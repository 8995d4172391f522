import polars as pl
import pytest

from tasks.filters.conflicting_dimensions import conflict, conflicting_dimensions
from tests.support.pairs import pair, pairs, removed


def scores(**by_criterion):
    rows = [
        (f"{side}1", criterion, float(value))
        for criterion, values in by_criterion.items()
        for side, value in zip("cr", values, strict=True)
    ]
    return pl.DataFrame(rows, schema=["completion_id", "criterion", "score"], orient="row")


ROWS = pairs(pair("1", criterion="own"))


def test_the_conflict_is_the_mean_square_of_what_is_lost_elsewhere():
    deltas = scores(own=(9, 0), a=(2, 0), b=(0, 3), c=(0, 1), d=(1, 1))  # +2, -3, -1, 0: (9 + 1) / 4
    assert conflict(ROWS, deltas)["conflict"].to_list() == [2.5]
    assert conflict(ROWS, deltas, scale=10)["conflict"].to_list() == pytest.approx([0.025])
    found = conflicting_dimensions(ROWS, deltas)
    assert removed(found) == {"1": "worse by another criterion"}
    assert found["value"].to_list() == ["2.5"]
    assert conflicting_dimensions(ROWS, deltas, most=2.5).height == 0


def test_gains_make_no_conflict_nor_does_the_pairs_own_criterion():
    assert conflict(ROWS, scores(own=(0, 5), a=(2, 0), b=(1, 1)))["conflict"].to_list() == [0.0]
    assert conflict(ROWS, scores(own=(0, 5)))["conflict"].to_list() == [0.0]
    assert conflict(pairs(pair("1")), scores(own=(0, 5)))["conflict"].to_list() == [25.0]  # chosen by no one criterion
    with pytest.raises(ValueError, match="scale 0"):
        conflicting_dimensions(ROWS, scores(own=(0, 5)), scale=0)
