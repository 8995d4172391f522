from itertools import pairwise

import pytest

from tasks.filters.subset import subset
from tests.support.pairs import pair, pairs

ROWS = pairs(*({**pair(f"{i:05d}"), "prompt_id": f"p{i // 2}"} for i in range(4000)))


def kept(share, rows=ROWS, **more):
    return set(rows["pair_id"]) - set(subset(rows, share=share, **more)["row_id"])


def test_a_smaller_subset_lies_within_a_larger_one():
    sets = [kept(share) for share in (0.0, 0.1, 0.2, 0.5, 1.0)]
    assert all(one < other for one, other in pairwise(sets))
    assert (sets[0], sets[-1]) == (set(), set(ROWS["pair_id"]))
    assert len(sets[1]) / 4000 == pytest.approx(0.1, abs=3 * (0.09 / 2000) ** 0.5)


def test_all_pairs_of_a_prompt_go_together_and_new_prompts_move_nobody():
    stays = kept(0.3)
    assert {each[:-1] + str(int(each[-1]) // 2 * 2) for each in stays} <= stays
    assert kept(0.3, ROWS[:1000]) == stays & set(ROWS["pair_id"][:1000])
    assert kept(0.3, seed=1) != stays


def test_a_share_is_a_share():
    with pytest.raises(ValueError, match="share is 2"):
        subset(ROWS, share=2)
