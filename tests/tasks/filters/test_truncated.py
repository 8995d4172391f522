import polars as pl

from tasks.filters.truncated import truncated
from tests.support.pairs import pair, pairs, removed

COMPLETIONS = pl.DataFrame({"completion_id": ["c1", "r2", "c3"], "finish_reason": ["length", "length", "stop"]})


def test_pairs_with_a_cut_answer_go():
    rows = pairs(pair("1"), pair("2"), pair("3"), pair("4"))
    assert removed(truncated(rows, COMPLETIONS)) == {"1": "chosen was cut", "2": "rejected was cut"}
    assert removed(truncated(rows, COMPLETIONS, of="chosen")) == {"1": "chosen was cut"}
    assert truncated(rows, COMPLETIONS)["value"].to_list() == ["c1", "r2"]
