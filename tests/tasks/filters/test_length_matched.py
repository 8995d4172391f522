import pytest

from tasks.filters.length_matched import length_matched
from tests.support.pairs import pair, pairs, removed

LONGER = [pair(str(i), "a" * (10 + i), "a" * 5, margin=float(-i)) for i in range(1, 7)]
ROWS = pairs(*LONGER, pair("8", "aa", "aaa"), pair("9", "aa", "aaaa"), pair("7", "aa", "bb"))


def test_the_widest_go_until_the_share_is_met():
    found = length_matched(ROWS)
    assert removed(found) == {str(i): "the longer text is chosen too often" for i in (3, 4, 5, 6)}
    assert found["value"].to_list() == ["2.333", "2.5", "2.667", "2.833"]  # (13 + 1) / (5 + 1) and on
    assert set(removed(length_matched(ROWS, most=0.6))) == {"4", "5", "6"}  # 3 of 5 stay longer
    assert set(removed(length_matched(ROWS, first="weakest"))) == {"3", "4", "5", "6"}
    assert set(removed(length_matched(ROWS, most=0.6, first="weakest"))) == {"4", "5", "6"}


def test_pairs_that_prefer_the_shorter_go_where_they_are_too_many():
    turned = pairs(*(row | {"chosen": row["rejected"], "rejected": row["chosen"]} for row in ROWS.to_dicts()))
    assert set(length_matched(turned)["reason"]) == {"the shorter text is chosen too often"}
    assert set(removed(length_matched(turned))) == {"3", "4", "5", "6"}


def test_a_second_pass_removes_nothing_and_an_empty_table_is_fine():
    kept = ROWS.join(length_matched(ROWS, most=0.6), left_on="pair_id", right_on="row_id", how="anti")
    assert length_matched(kept, most=0.6).height == 0
    assert length_matched(pairs()).height == 0
    with pytest.raises(ValueError, match=r"from 0\.5"):
        length_matched(ROWS, most=0.3)
