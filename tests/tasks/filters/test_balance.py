import polars as pl
import pytest

from tasks.filters.balance import balance
from tests.support.pairs import pair, pairs, removed

ROWS = pairs(*(pair(f"{i:02}", chosen_policy="a" if i < 8 else "b", chosen_tokens=2**i) for i in range(12)))
PROMPTS = pl.DataFrame({"prompt_id": [f"p{i:02}" for i in range(12)], "source": ["web"] * 9 + ["book"] * 2 + [None]})


def test_groups_are_cut_to_the_cap_and_small_ones_stay():
    found = balance(ROWS, PROMPTS, most=2)
    assert found["value"].to_list() == ["web"] * 7
    assert set(found["reason"]) == {"source has more than 2"}
    assert balance(ROWS, PROMPTS, by="policy", most=4)["value"].to_list() == ["a"] * 4
    assert balance(ROWS, PROMPTS, by="prompt", most=1).height == 0
    assert balance(ROWS, PROMPTS, by="length", most=1, buckets=4).height == 8
    assert balance(ROWS, PROMPTS, times=1.0).height == 7  # groups of 9, 2 and 1: the median is 2


def test_the_coin_knows_the_pair_alone():
    found = removed(balance(ROWS, PROMPTS, most=3))
    assert removed(balance(ROWS.reverse(), PROMPTS, most=3)) == found
    assert removed(balance(ROWS, PROMPTS, most=3, seed=1)) != found
    assert set(removed(balance(ROWS, PROMPTS, most=5))) < set(found)
    kept = ROWS.filter(~pl.col("pair_id").is_in(list(found)))
    assert balance(kept, PROMPTS, most=3).height == 0


def test_one_cap_must_be_given():
    with pytest.raises(ValueError, match="either most"):
        balance(ROWS, PROMPTS)
