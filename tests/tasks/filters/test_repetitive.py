import polars as pl
import pytest

from tasks.filters.repetitive import repeated, repetitive
from tests.support.pairs import pair, pairs, removed

LOOP = "and then we went home " * 20
PROSE = " ".join(f"word{i}" for i in range(60))


def test_a_loop_goes_and_prose_stays():
    rows = pairs(pair("1", LOOP), pair("2", PROSE, LOOP), pair("3", "no " * 29), pair("4", "no " * 30))
    assert removed(repetitive(rows)) == {"1": "chosen repeats itself", "4": "chosen repeats itself"}
    assert removed(repetitive(rows, of="either"))["2"] == "rejected repeats itself"
    assert repetitive(rows, most=1.0).height == 0


def test_the_share_of_runs_seen_before():
    texts = pl.Series(["to be or not to be", "a a a a", "one", "", None])
    assert repeated(texts, 2).to_list() == pytest.approx([0.2, 2 / 3, 0, 0, 0])  # 5 runs, 1 old; 3 runs, 2 old


def test_bounds_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        repetitive(pairs(), n=0)
