import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.lists(st.sampled_from(["a", "B", "b", "wordy words", "é", "中", "-"]), max_size=30), max_size=5))
def test_the_share_is_that_of_counting_runs_one_by_one(made):
    for n in (1, 2, 4):
        expected = []
        for parts in made:
            found = re.findall(r"中|\w+", " ".join(parts).lower())
            runs = [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]
            expected.append(1 - len(set(runs)) / len(runs) if runs else 0)
        texts = pl.Series([" ".join(parts) for parts in made], dtype=pl.String)
        assert repeated(texts, n).to_list() == pytest.approx(expected)
