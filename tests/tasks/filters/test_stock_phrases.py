import pytest

from schemas.messages import assistant
from tasks.filters.stock_phrases import stock_phrases
from tests.support.preferences import pairs


def table(*texts):
    return pairs([{"pair_id": f"{i:03d}", "chosen": assistant(text)} for i, text in enumerate(texts)])


def test_openings_and_closings_that_many_share_are_thinned_to_the_cap():
    openings = [f"Certainly! Here is your answer {i} and a reason {i}" for i in range(30)]
    closings = [f"reply {i} then some {i} I hope this helps!" for i in range(25)]
    others = [f"word{i} other{i} text{i} about{i} thing{i} for{i} you{i} now{i}" for i in range(45)]
    rows = table(*openings, *closings, *others)
    found = stock_phrases(rows, most=0.1, least=5)
    assert found.height == 20 + 15
    assert found["value"].value_counts(sort=True).rows() == [("certainly here is your", 20), ("i hope this helps", 15)]
    assert set(found["reason"]) == {"chosen begins as too many do", "chosen ends as too many do"}
    left = rows.join(found, left_on="pair_id", right_on="row_id", how="anti")
    assert stock_phrases(left, most=0.16, least=5).height == 0


def test_few_of_a_kind_and_short_answers_stay():
    assert stock_phrases(table(*["Certainly! Here is your answer, in full now"] * 20), most=0.05).height == 0
    assert stock_phrases(table(*["Yes, it is."] * 90), most=0.05).height == 0
    with pytest.raises(ValueError, match="most 0"):
        stock_phrases(table("a"), most=0)
