"""Worked cases of the published step-level systems, computed from the rows that our blocks make."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from schemas.messages import assistant
from tasks.exports.step_dpo import step_dpo
from tasks.selectors._trees import trees
from tasks.selectors.advantages import advantages
from tasks.selectors.all_pairs import all_pairs
from tasks.selectors.first_error_pairs import first_error_pairs
from tasks.selectors.outcome_examples import outcome_examples
from tasks.selectors.sibling_pairs import sibling_pairs
from tasks.selectors.step_labels import step_labels
from tasks.selectors.suffix_pairs import suffix_pairs
from tasks.selectors.tree_lists import ranks, tree_lists
from tests.support.nodes import meta, pairs, toy, tree
from tests.support.scored import one
from tests.support.stepdpo import TYPES, pair


def near(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


def loss(margin: float) -> float:
    """Returns -log sigmoid(margin)."""
    return math.log1p(math.exp(-margin))


def by_text(rows: pl.DataFrame) -> dict[str, Any]:
    return {"".join(row["completions"]).replace("\n", ""): row for row in rows.iter_rows(named=True)}


class TestTheToyTree:
    """The queries that every dataset of one search comes down to, on one tree of seven nodes."""

    def test_best_against_worst_along_the_played_path_with_smoothing(self) -> None:
        found = sibling_pairs(toy(), soft="visits", along="played")
        row = found.row(0, named=True)
        assert (row["prefix"], row["chosen_id"], row["rejected_id"]) == ("", "A", "B")
        assert (row["chosen_score"], row["rejected_score"]) == (0.6, -0.4)
        assert 1 - row["p_chosen"] == near(3 / 11)  # by 8 and 3 visits; equal visits, smoothing one half, drop a pair
        assert found.height == 1

    def test_pairs_of_opposite_sign_with_those_of_whole_solutions_scaled_down(self) -> None:
        found = sibling_pairs(toy(), take="signed", end_scale=0.3)
        told = found.select("prefix", "chosen_id", "rejected_id", "chosen_score", "rejected_score").rows()
        assert told == [("", "A", "B", 0.6, -0.4), ("A\n", "A/A1", "A/A2", near(0.3), near(-0.3))]

    def test_hard_and_soft_estimates_of_every_step(self) -> None:
        hard, soft = (by_text(step_labels(toy(), kind=kind)) for kind in ("hard", "soft"))
        assert [hard[name]["labels"] for name in ("AA1", "AA2", "BB1")] == [[1, 1], [1, 0], [1, 0]]
        assert [soft[name]["labels"] for name in ("AA1", "AA2", "BB1")] == [[0.75, 1], [0.75, 0], [0.25, 0]]

    def test_advantages_are_differences_of_shares(self) -> None:
        rooted = toy().with_columns(
            rollouts=pl.when(pl.col("node_id") == "root").then(8).otherwise("rollouts"),
            successes=pl.when(pl.col("node_id") == "root").then(4).otherwise("successes"),
        )
        found = by_text(step_labels(rooted, kind="soft"))
        assert found["AA1"]["advantages"] == [0.25, 0.25]
        assert found["AA2"]["advantages"] == [0.25, -0.75]
        assert found["BB1"]["advantages"] == [-0.25, -0.25]

    def test_a_first_error_has_no_right_end_below_it_and_its_parent_has_one(self) -> None:
        (found,) = trees(toy())
        lost = [s.node_id for s in found.steps[1:] if s.share == 0 and s.parent is not None and s.parent.share != 0]
        assert lost == ["A/A2", "B/B1"]

    def test_right_and_wrong_endings_that_part_at_every_common_beginning(self) -> None:
        found = suffix_pairs(toy(), per_tree=None)
        assert set(zip(found["prefix"], pairs(found), strict=True)) == {
            ("A\n", ("A/A1", "A/A2")), ("", ("A/A1", "B/B1")),
        }  # fmt: skip

    def test_the_best_and_the_worst_end_of_a_tree(self) -> None:
        (ids,) = tree_lists(toy())["completion_ids"].to_list()
        assert (ids[0], ids[-1]) == ("A/A1", "B/B1")

    def test_errors_against_the_siblings_that_mend_them(self) -> None:
        said = {"meta": {"first_error": True}, "rollouts": 4, "successes": 0}
        rows = tree(
            {
                "A": {"rollouts": 4, "successes": 3}, "C": {"rollouts": 4, "successes": 0, "meta": said["meta"]},
                "B": {"rollouts": 4, "successes": 1}, "A/A1": {"terminal": True, "reward": 1.0, "rollouts": 4,
                                                               "successes": 4},
                "A/A2": {"terminal": True, "reward": 0.0, **said},
            }
        )  # fmt: skip
        assert pairs(first_error_pairs(rows)) == [("A", "C"), ("A/A1", "A/A2"), ("B", "C")]


def test_running_means_of_a_value_head_rank_the_better_sibling_higher() -> None:
    rows = tree({"a": {"value": 0.62, "visits": 4}, "b": {"value": 0.18, "visits": 4}})
    (margin,) = sibling_pairs(rows)["margin"]
    assert loss(margin) == near(0.497154)


def test_a_lambda_weighted_list_of_four_answers() -> None:
    scores, rewards = [1.0, 0.8, 0.35, 0.1], [0.5, 0.4, -0.1, -0.3]
    place = ranks(rewards)
    assert place == [1, 2, 3, 4]

    def weight(i: int, j: int) -> float:
        gain = abs(2 ** scores[i] - 2 ** scores[j])
        return gain * abs(1 / math.log2(1 + place[i]) - 1 / math.log2(1 + place[j]))

    assert weight(0, 1) == near(0.095552)
    total = sum(weight(i, j) * loss(rewards[i] - rewards[j]) for i in range(4) for j in range(i + 1, 4))
    assert total == near(0.507779)
    assert sum(1 for i in range(5) for j in range(i + 1, 5)) == 10  # pairs in a list of five


def test_a_critic_is_fitted_to_a_steps_share_and_a_policy_to_its_advantage() -> None:
    rows = tree(
        {
            "": {"rollouts": 8, "successes": 4},
            "a": {"rollouts": 8, "successes": 5},
            "a/b": {"rollouts": 8, "successes": 2},
            "a/b/W": {"terminal": True, "reward": 0.0},
        }
    )
    row = step_labels(rows, kind="soft").row(0, named=True)
    assert row["advantages"] == [0.125, -0.375, -0.25]
    assert sum(row["advantages"]) == near(0.0 - 0.5)
    target, told = row["values"][0], 0.7
    assert -(target * math.log(told) + (1 - target) * math.log(1 - told)) == near(0.674412)
    ratios = [advantage / 0.1 for advantage in row["advantages"]]
    assert ratios == [near(v) for v in (1.25, -3.75, -2.5)]
    assert [0.5 * (a - 0.1 * r) ** 2 for a, r in zip(row["advantages"], ratios, strict=True)] == [near(0.0)] * 3


def test_four_right_continuations_begin_with_three_different_steps() -> None:
    rows = [pair(str(i), "Step 1: a\nStep 2: b\n", f"Step 3: {step}", "Step 3: wrong") for i, step in enumerate("uvw")]
    found = step_dpo(pl.DataFrame(rows, schema=TYPES))
    assert found.height == 3
    assert set(found["initial_reason_steps"]) == {"Step 1: a\nStep 2: b\nStep 3:"}
    assert not [row for row in found.iter_rows(named=True) if "Step 4:" in row["chosen"] + row["rejected"]]


@pytest.mark.parametrize(("true", "missed"), [(0.05, 0.663), (0.1, 0.430), (0.2, 0.168), (0.3, 0.058)])
def test_how_often_eight_continuations_miss_a_step_that_is_right(true: float, missed: float) -> None:
    rows = tree({"a": {"rollouts": 8, "successes": 0}, "a/R": {"terminal": True, "reward": 1.0}})
    assert step_labels(rows)["labels"].to_list() == [[0.0, 1.0]]  # which is then called wrong
    assert (1 - true) ** 8 == pytest.approx(missed, abs=5e-4)


def test_four_ways_to_bring_step_scores_to_one() -> None:
    scores = [0.99, 0.9, 0.6]
    assert min(scores) == 0.6
    assert math.prod(scores) == near(0.5346)
    assert sum(scores) / 3 == near(0.83)


@pytest.mark.parametrize(
    ("right", "of", "baseline", "told"),
    [(6, 64, "mean", (0.90625, -0.09375)), (4, 16, "others", (0.8, -0.266667))],
)  # fmt: skip
def test_advantages_of_a_group_add_up_to_nothing(right: int, of: int, baseline: Any, told: tuple[float, float]) -> None:
    found = advantages(*one([1.0] * right + [0.0] * (of - right)), baseline=baseline)
    values = [row["advantage"] for row in meta(found)]
    assert {round(value, 6) for value in values} == set(told)
    assert sum(values) == near(0.0)


def test_rewards_of_plus_and_minus_one_against_the_mean_of_the_others() -> None:
    values = {round(row["advantage"], 6) for row in meta(advantages(*one([1.0] * 4 + [-1.0] * 12), baseline="others"))}
    assert values == {1.6, -0.533333}


def test_right_times_wrong_is_the_number_of_implicit_pairs() -> None:
    assert all_pairs(*one([1.0] * 3 + [0.0] * 5)).height == 15
    completions, scores = one([1.0] * 3 + [0.0] * 5)
    whole = completions.with_columns(
        messages=pl.Series([assistant("x")] * 8, dtype=TYPES["chosen"]),
        tokens=pl.lit(None, pl.List(pl.String)),
        token_logprobs=pl.lit(None, pl.List(pl.Float64)),
    )
    assert outcome_examples(whole, scores).height == 8


def test_weighted_goal_and_preference_similarities() -> None:
    """The contrast terms of a goal-conditioned reward model from cosines of states at the drawn positions."""
    later, other, temperature = 0.8, 0.1, 0.5
    terms = loss(later / temperature) + loss(-other / temperature)
    assert terms == near(0.982040)
