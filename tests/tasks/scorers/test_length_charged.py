import pytest

from tasks.scorers.length_charged import length_charged
from tests.support.scored import completions, graded


def made(right, tokens, conditions=None, **chosen):
    conditions = conditions or [None] * len(right)
    rows = completions([
        {"completion_id": f"{i:03d}", "completion_tokens": count,
         "meta": None if c is None else f'{{"condition":"{c}"}}'}
        for i, (count, c) in enumerate(zip(tokens, conditions, strict=True))
    ])  # fmt: skip
    return dict(
        length_charged(graded({"j": {"correct": right}}), rows, **chosen).select("completion_id", "score").iter_rows()
    )


def test_right_less_what_the_distance_to_the_budget_costs():
    found = made([1, 1, 0], [600, 300, 512], ["512", "512", "512"], price=0.001)
    assert found == pytest.approx({"000": 1 - 0.088, "001": 1 - 0.212, "002": 0.0})


def test_without_a_budget_there_is_no_score_unless_a_target_is_given():
    assert made([1], [10]) == {}
    assert made([1], [10], price=0.01, target=0) == pytest.approx({"000": 0.9})
    assert made([1], [None], target=0) == {}


def test_length_is_charged_only_where_enough_of_the_group_is_right():
    assert made([1, 1, 0], [10, 20, 5], price=0.01, target=0, at_least_right=0.5) == pytest.approx(
        {"000": 0.9, "001": 0.8, "002": -0.05}
    )
    assert made([1, 0, 0], [10, 20, 5], price=0.01, target=0, at_least_right=0.5) == {"000": 1, "001": 0, "002": 0}
