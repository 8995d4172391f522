import re
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.filters.stock_phrases import stock_phrases
from tests.support.preferences import pairs

MODULE = sys.modules["tasks.filters.stock_phrases"]


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


TEXTS = st.lists(st.lists(st.sampled_from(["I", "i", "hope", "so!", "well"]), max_size=7).map(" ".join), max_size=12)


@given(TEXTS, st.integers(1, 5))
def test_portions_do_not_matter_and_as_many_go_as_counting_says(texts, least):
    rows = table(*texts)
    whole = stock_phrases(rows, n=2, most=0.1, least=least)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_ROWS", 3)
        assert stock_phrases(rows, n=2, most=0.1, least=least).equals(whole)
    told = [found for text in texts if len(found := re.findall(r"\w+", text.lower())) >= 4]
    cap = max(least, int(0.1 * len(told)))
    left = rows.join(whole, left_on="pair_id", right_on="row_id", how="anti")["chosen"]
    kept = [found for row in left if len(found := re.findall(r"\w+", row[0]["content"].lower())) >= 4]
    for place in (slice(2), slice(-2, None)):
        assert all(count <= cap for count in Counter(tuple(words[place]) for words in kept).values())
    assert len(told) - len(kept) == whole.height
