"""Pairs of siblings."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.sibling_pairs import sibling_pairs
from tests.support.nodes import meta, pairs, toy, tree

CPL = {f"s{i}": {"value": q, "visits": 3} for i, q in enumerate([0.6, 0.2, -0.1, -0.8, 0.0])}


def test_best_against_worst_on_the_toy_tree() -> None:
    found = sibling_pairs(toy())
    assert pairs(found) == [("A", "B"), ("A/A1", "A/A2")]
    assert found["prefix"].to_list() == ["", "A\n"]
    assert found["chosen"].to_list() == [
        [{"role": "assistant", "content": text, "tool_calls": None, "extra": None}] for text in ("A\n", "A1\n")
    ]
    assert found["margin"].to_list() == [pytest.approx(1.0), pytest.approx(2.0)]


def test_soft_labels_from_visits_drop_what_teaches_nothing() -> None:
    found = sibling_pairs(toy(), soft="visits", along="played")
    assert pairs(found) == [("A", "B")]  # A1 and A2 have equal visits
    assert found["p_chosen"].to_list() == [pytest.approx(1 - 3 / 11)]


def test_mcts_dpo_smoothing() -> None:
    def found(chosen: int, rejected: int) -> pl.DataFrame:
        rows = tree({"a": {"value": 0.9, "visits": chosen}, "b": {"value": 0.1, "visits": rejected}})
        return sibling_pairs(rows, soft="visits")

    assert found(12, 4)["p_chosen"].to_list() == [0.75]
    assert found(3, 9).is_empty()


def test_cpl_pairs_of_opposite_sign() -> None:
    found = sibling_pairs(tree(CPL), take="signed")
    assert pairs(found) == [("s0", "s2"), ("s0", "s3"), ("s1", "s2"), ("s1", "s3")]


def test_cpl_ends_meet_best_against_worst_at_a_smaller_scale() -> None:
    ends = {f"e{i}": {"value": q, "visits": 1, "terminal": True} for i, q in enumerate([1.0, 0.5, -0.5, -1.0])}
    found = sibling_pairs(tree(ends), take="signed", end_scale=0.3)
    assert pairs(found) == [("e0", "e3")]
    assert found.select("chosen_score", "rejected_score").row(0) == (pytest.approx(0.3), pytest.approx(-0.3))


def test_the_margins_of_cpl_give_its_published_losses() -> None:
    def loss(gap: float, ratio: float = 1.0, beta: float = 0.3) -> float:
        return math.log1p(math.exp(-(beta * ratio - gap)))

    rows = sibling_pairs(tree({"a": {"value": 0.6, "visits": 1}, "b": {"value": -0.8, "visits": 1}}), take="signed")
    assert loss(0.0) == pytest.approx(0.554355, abs=1e-6)
    assert loss(rows["margin"][0]) == pytest.approx(1.387335, abs=1e-6)
    ends = {"a": {"value": 1.0, "visits": 1, "terminal": True}, "b": {"value": -1.0, "visits": 1, "terminal": True}}
    scaled = sibling_pairs(tree(ends), take="signed", end_scale=0.3)
    assert loss(scaled["margin"][0]) == pytest.approx(0.854355, abs=1e-6)


def test_a_step_nobody_evaluated_takes_no_part() -> None:
    rows = tree({"a": {"value": 0.5, "visits": 2}, "b": {"value": None, "visits": 0}, "c": {"value": 0.0, "visits": 0}})
    assert sibling_pairs(rows).is_empty()
    assert pairs(sibling_pairs(rows, min_visits=0)) == [("a", "c")]


def test_a_tie_makes_no_pair_nor_do_texts_that_differ_in_spaces() -> None:
    assert sibling_pairs(tree({"a": {"value": 0.5, "visits": 1}, "b": {"value": 0.5, "visits": 1}})).is_empty()
    assert sibling_pairs(tree({"a b": {"value": 0.9, "visits": 1}, "a  b": {"value": 0.1, "visits": 1}})).is_empty()


@pytest.mark.parametrize(
    ("params", "left"),
    [
        ({"min_gap": 1.0}, [("A/A1", "A/A2")]), ({"min_visits": 4}, [("A/A1", "A/A2")]),
        ({"min_chosen": 0.9}, [("A/A1", "A/A2")]),
        ({"max_rejected": -0.9}, [("A/A1", "A/A2")]), ({"min_root": 0.0}, []), ({"per_tree": 1}, [("A/A1", "A/A2")]),
        ({"along": "best_path"}, [("A", "B"), ("A/A1", "A/A2")]), ({"solved": True}, []),
        ({"by": "share", "min_gap": 0.6}, [("A/A1", "A/A2")]), ({"min_rollouts": 5}, []),
    ],
)  # fmt: skip
def test_what_a_pair_must_meet(params: dict[str, Any], left: list[tuple[str, str]]) -> None:
    assert pairs(sibling_pairs(toy(), **params)) == left


def test_a_tree_played_to_a_wrong_end_can_be_left_out() -> None:
    rows = tree(
        {
            "a": {"value": 0.9, "visits": 5, "meta": {"played": True}}, "b": {"value": 0.1, "visits": 1},
            "a/W": {"value": 0.0, "visits": 3, "terminal": True, "reward": 0.0, "meta": {"played": True}},
        }
    )  # fmt: skip
    assert pairs(sibling_pairs(rows, along="played")) == [("a", "b")]
    assert sibling_pairs(rows, along="played", solved=True).is_empty()


def test_posterior_of_the_counts_as_soft_label() -> None:
    rows = tree(
        {
            "a": {"value": 0.75, "visits": 1, "rollouts": 8, "successes": 6},
            "b": {"value": 0.25, "visits": 1, "rollouts": 8, "successes": 2},
        }
    )
    assert sibling_pairs(rows, soft="posterior")["p_chosen"].to_list() == [pytest.approx(0.9717, abs=1e-4)]
    assert sibling_pairs(rows, soft="posterior", min_probability=0.98).is_empty()


def test_a_pair_after_a_step_that_rollouts_doubt_can_be_left_out() -> None:
    rows = tree(
        {
            "good": {"value": 0.9, "visits": 9, "rollouts": 16, "successes": 14},
            "odd": {"value": 0.3, "visits": 9, "rollouts": 16, "successes": 4},
            "odd/x": {"value": 1.0, "visits": 4, "rollouts": 4, "successes": 4},
            "odd/y": {"value": 0.0, "visits": 4, "rollouts": 4, "successes": 0},
        }
    )
    assert pairs(sibling_pairs(rows)) == [("good", "odd"), ("odd/x", "odd/y")]
    assert pairs(sibling_pairs(rows, max_doubt=0.8)) == [("good", "odd")]


def test_meta_keeps_the_raw_counts() -> None:
    first = meta(sibling_pairs(toy()))[0]
    assert (first["visits"], first["rollouts"], first["successes"], first["depth"], first["eos"]) == (
        [8, 3], [4, 4], [3, 1], 1, [False, False],
    )  # fmt: skip


values = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=6)


@given(values, values)
def test_all_pairs_are_those_that_brute_force_finds(one: list[float], other: list[float]) -> None:
    steps = {f"a{i}": {"value": v, "visits": 1} for i, v in enumerate(one)}
    steps |= {f"a0/b{i}": {"value": v, "visits": 1} for i, v in enumerate(other)}
    expected = set()
    for siblings in (list(enumerate(one)), [(f"a0/b{i}", v) for i, v in enumerate(other)]):
        named = [(n if isinstance(n, str) else f"a{n}", v) for n, v in siblings]
        for (a, x), (b, y) in combinations(named, 2):
            if x != y:
                expected.add((a, b) if x > y else (b, a))
    assert set(pairs(sibling_pairs(tree(steps), take="all"))) == expected


@given(values)
def test_flipping_every_value_flips_every_pair(one: list[float]) -> None:
    straight = tree({f"a{i}": {"value": v, "visits": 1} for i, v in enumerate(one)})
    flipped = tree({f"a{i}": {"value": -v, "visits": 1} for i, v in enumerate(one)})
    there = set(pairs(sibling_pairs(straight, take="all")))
    assert {(b, a) for a, b in pairs(sibling_pairs(flipped, take="all"))} == there


@given(st.integers(0, 10))
def test_neither_row_order_nor_other_trees_matter(seed: int) -> None:
    rows = pl.concat([toy(), tree(CPL, "other", "q")])
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    assert sibling_pairs(shuffled).equals(sibling_pairs(rows))
    assert sibling_pairs(shuffled).filter(pl.col("prompt_id") == "p").equals(sibling_pairs(toy()))


def test_no_trees_make_no_pairs() -> None:
    assert sibling_pairs(toy().clear()).is_empty()


@pytest.mark.parametrize("params", [{"min_gap": -1.0}, {"min_probability": 1.0}, {"prior": (0.0, 1.0)}])
def test_parameters_out_of_range_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        sibling_pairs(toy(), **params)
