import polars as pl
import pytest

from tasks.selectors._ensemble import members
from tasks.selectors._sets import starts
from tasks.selectors.active_pairs import _ends, active_pairs
from tests.support.scored import completions, graded, places

HEADS = [[1, 0, 2], [2, 0, 1], [0, 1, 2]]


def ensemble(heads):
    return graded({f"head{m}": {"c": row} for m, row in enumerate(heads)})


def field(count, **columns):
    rows = [{"completion_id": f"{i:03d}", **{n: v[i] for n, v in columns.items()}} for i in range(count)]
    return completions(rows)


def ends(heads, by, seed=0):
    team = members(field(len(heads[0])), ensemble(heads), None, None, truncated=False)
    first, second, clash = _ends(team, starts(team.rows), by, seed)
    return int(first[0]), int(second[0]), bool(clash[0])


def test_the_favourites_of_two_members_drawn_by_lot():
    found = {ends(HEADS, "thompson", seed) for seed in range(40)}
    assert found == {(2, 0, False), (0, 2, False)}  # members 0 and 2 want completion 2, member 1 wants 0


def test_the_margin_the_members_disagree_about_most():
    found = {ends(HEADS, "best_arm", seed) for seed in range(40)}
    assert (2, 0, False) in found  # variance 1.5556 against 0, 0.2222 against 1
    assert found == {(2, 0, False), (0, 1, False)}  # from 0 both others have 1.5556: the first
    assert ends([[5, 1, 0], [0, 1, 5]], "uncertainty")[:2] == (0, 2)


def test_members_that_agree_meet_one_drawn_by_lot_and_say_so():
    alike = [[3, 2, 1]] * 3
    assert {ends(alike, "thompson", seed) for seed in range(40)} == {(0, 1, True), (0, 2, True)}
    assert {ends(alike, "best_arm", seed) for seed in range(40)} == {(0, 1, True), (0, 2, True)}
    assert active_pairs(field(3), ensemble(alike))["level"].to_list() == ["clash"]


def test_the_higher_mean_is_chosen_and_its_spread_kept():
    found = active_pairs(field(3), ensemble(HEADS), by="uncertainty")
    assert places(found) == [(0, 1)]  # margins 1, 2, -1
    assert found["strength"].to_list() == pytest.approx([2 / 3])
    assert found["strength_std"].to_list() == pytest.approx([1.5556**0.5], abs=6e-5)
    assert found["p_chosen"].to_list() == pytest.approx([(0.731059 + 0.268941 + 0.880797) / 3], abs=6e-5)


def test_only_queries_worth_asking():
    assert active_pairs(field(3), ensemble([[3, 2, 1]] * 3), by="random", min_std=0.1).height == 0
    assert active_pairs(field(3), ensemble(HEADS), by="uncertainty", min_std=1.3).height == 0


def test_a_tie_of_the_means_makes_no_pair():
    assert active_pairs(field(2), ensemble([[1, 0], [0, 1]])).height == 0


def test_what_a_member_could_not_score_is_no_candidate():
    found = active_pairs(field(3), ensemble([[1, 0, 2], [2, 0, None]]), by="uncertainty")
    assert places(found) == [(0, 1)]


def test_one_completion_or_no_judge_makes_no_pair():
    assert active_pairs(field(1), ensemble([[1], [2]])).height == 0
    none = ensemble(HEADS).clear()
    assert active_pairs(field(3), none).height == 0
    assert active_pairs(field(3), none).schema.keys() == active_pairs(field(3), ensemble(HEADS)).schema.keys()


@pytest.mark.parametrize("by", ["thompson", "best_arm", "uncertainty", "random"])
def test_row_order_and_other_prompts_do_not_matter(by):
    rows = field(6, prompt_id=["p"] * 3 + ["q"] * 3)
    said = ensemble([[1, 0, 2, 5, 3, 4], [2, 0, 1, 3, 5, 4], [0, 1, 2, 4, 3, 5]])
    whole = active_pairs(rows, said, by=by)
    assert active_pairs(rows.reverse(), said.reverse(), by=by).equals(whole)
    parts = [active_pairs(rows.filter(pl.col("prompt_id") == name), said, by=by) for name in "pq"]
    assert pl.concat(parts).equals(whole)


def test_two_criteria_of_a_judge_need_a_word_which_is_meant():
    said = graded({"a": {"style": [1, 2], "truth": [2, 1]}})
    with pytest.raises(ValueError, match="scored by style, truth"):
        active_pairs(field(2), said)
    assert places(active_pairs(field(2), said, criterion="truth")) == [(0, 1)]
