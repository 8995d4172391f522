import polars as pl
import pytest

from schemas.messages import to_rows
from tasks.filters.balance_topics import balance_topics
from tests.support.preferences import pairs

KINDS = {
    "cook": "bake bread flour oven dough",
    "code": "python function list loop bug",
    "law": "court judge appeal law",
}


def table(**counts):
    rows = [
        {"pair_id": f"{kind}{i:03d}", "prompt_id": f"{kind}{i:03d}", "prompt": to_rows(f"{KINDS[kind]} n{kind}{i}")}
        for kind, count in counts.items() for i in range(count)
    ]  # fmt: skip
    return pairs(rows)


def test_only_the_topic_that_has_too_many_loses_pairs():
    found = balance_topics(table(cook=45, code=25, law=25), topics=3, times=1.5)
    assert found.height == 8
    assert set(found["row_id"].str.slice(0, 4)) == {"cook"}
    assert found["reason"].unique().to_list() == ["its topic has more than 37 pairs"]
    assert found["value"].unique().str.starts_with("cook").all()


def test_all_pairs_of_a_prompt_go_or_stay():
    rows = table(cook=45, code=25, law=25)
    twice = pl.concat([rows, rows.with_columns(pair_id=pl.col("pair_id") + "b")])
    found = balance_topics(twice, topics=3, times=1.5)
    gone = found["row_id"].str.slice(0, 7)
    assert gone.value_counts()["count"].unique().to_list() == [2]


def test_few_prompts_stay_and_parameters_have_ranges():
    assert balance_topics(table(cook=7)).height == 0
    with pytest.raises(ValueError, match="topics 0"):
        balance_topics(table(cook=9), topics=0)
