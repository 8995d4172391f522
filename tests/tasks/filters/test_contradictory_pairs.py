from tasks.filters.contradictory_pairs import contradictory_pairs
from tests.support.pairs import pair, pairs, removed


def edges(*names, prompt="p"):
    return [
        pair(f"{prompt}{one}{two}", prompt_id=prompt, chosen_id=one, rejected_id=two, margin=margin)
        for one, two, margin in names
    ]


MIRROR = pairs(*edges(("a", "b", 1.0), ("b", "a", 0.5), ("a", "c", 1.0)))
CYCLE = pairs(*edges(("a", "b", 1.0), ("b", "c", 1.0), ("c", "a", 1.0), ("c", "d", 1.0)))


def test_a_pair_and_its_mirror_go():
    found = contradictory_pairs(MIRROR)
    assert removed(found) == {"pab": "the mirror of another pair", "pba": "the mirror of another pair"}
    assert found["value"].to_list() == ["a > b", "b > a"]
    assert removed(contradictory_pairs(MIRROR, keep="wider")) == {"pba": "the mirror of another pair"}
    even = pairs(*edges(("a", "b", 1.0), ("b", "a", 1.0)))
    assert len(removed(contradictory_pairs(even, keep="wider"))) == 2


def test_a_cycle_goes_and_what_hangs_on_it_stays():
    assert removed(contradictory_pairs(CYCLE)) == dict.fromkeys(("pab", "pbc", "pca"), "on a cycle")
    assert removed(contradictory_pairs(CYCLE, cycles=False)) == {}


def test_prompts_do_not_mix_and_nothing_makes_no_contradiction():
    rows = pairs(*edges(("a", "b", 1.0)), *edges(("b", "a", 1.0), prompt="q"))
    assert contradictory_pairs(rows).height == 0
    assert contradictory_pairs(pairs()).height == 0


def test_a_second_pass_removes_nothing():
    for rows in (MIRROR, CYCLE):
        kept = rows.join(contradictory_pairs(rows), left_on="pair_id", right_on="row_id", how="anti")
        assert contradictory_pairs(kept).height == 0
