"""Pairs with drawn positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.goal_positions import goal_positions, later
from tests.support.nodes import meta
from tests.support.scored import one, places


def test_best_against_worst_with_sixteen_positions_of_each_kind() -> None:
    found = goal_positions(*one([0.1, 0.9, 0.5], completion_tokens=[7, 5, 9]))
    assert places(found) == [(1, 0)]
    (drawn,) = meta(found)
    assert {name: len(told) for name, told in drawn.items()} == dict.fromkeys(
        ("sources", "goals", "positives", "negatives"), 16
    )
    assert all(0 <= a < b < 5 for a, b in zip(drawn["sources"], drawn["goals"], strict=True))
    assert all(0 <= place < 5 for place in drawn["positives"])
    assert all(0 <= place < 7 for place in drawn["negatives"])


@given(st.integers(0, 1000), st.integers(2, 40), st.text(max_size=4))
def test_a_goal_lies_after_its_source_and_both_in_the_answer(seed: int, size: int, name: str) -> None:
    source, goal = later(seed, size, name)
    assert 0 <= source < goal < size


def test_every_pair_of_places_is_drawn_as_often_as_another() -> None:
    seen = [later(0, 4, draw) for draw in range(6000)]
    assert {pair: seen.count(pair) for pair in set(seen)} == {
        (a, b): pytest.approx(1000, rel=0.12) for a in range(4) for b in range(a + 1, 4)
    }


def test_the_seed_and_the_answer_decide_and_nothing_else() -> None:
    tables = one([0.1, 0.9, 0.2, 0.8], completion_tokens=[7, 5, 7, 5], prompt_id=["p", "p", "q", "q"])
    both, again = goal_positions(*tables), goal_positions(*(table.reverse() for table in tables))
    assert both.equals(again)
    assert meta(both)[0] != meta(both)[1]
    assert meta(goal_positions(*tables, seed=1))[0] != meta(both)[0]
    assert goal_positions(tables[0].filter(prompt_id="p"), tables[1]).equals(both.filter(prompt_id="p"))


def test_an_answer_of_one_token_and_a_tie_make_no_pair() -> None:
    assert goal_positions(*one([0.1, 0.9], completion_tokens=[7, 1])).is_empty()
    assert goal_positions(*one([0.1, 0.9], completion_tokens=[7, None])).is_empty()
    assert goal_positions(*one([0.5, 0.5], completion_tokens=[7, 7])).is_empty()
    assert goal_positions(*one([0.4, 0.5], completion_tokens=[7, 7]), min_margin=0.2).is_empty()
