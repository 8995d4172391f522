import polars as pl
import pytest

from tasks.scorers.preference_levels import preference_levels
from tests.support.scored import graded, judgments


def levels(forms, answers):
    rows = graded({"form": {"format": forms}, "rule": {"correct": answers}})
    return dict(preference_levels(rows).select("completion_id", "score").iter_rows())


def test_four_levels_by_rules():
    found = levels([1, 1, 1, 0, 0], [1, 0, None, 1, 0])
    assert found == {"000": 3.0, "001": -0.5, "002": -1.0, "003": -3.0, "004": -3.0}


def test_a_form_nobody_could_judge_has_no_level():
    assert levels([None, 1], [1, 1]) == {"001": 3.0}


@pytest.mark.parametrize("outcome", ["error", "refused", "truncated"])
def test_an_answer_that_failed_to_be_judged_has_no_level(outcome):
    form = graded({"form": {"format": [1.0]}})
    answer = judgments([{"kind": "pointwise", "subjects": ["000"], "criterion": "correct", "outcome": outcome}])
    assert preference_levels(pl.concat([form, answer])).height == 0


def test_a_rule_that_found_no_answer_says_so_in_a_flag():
    rows = graded({"form": {"format": [1.0]}, "rule": {"correct": [0.0]}})
    flags = (
        pl.when(pl.col("criterion") == "correct").then(pl.lit(["no_mark"])).otherwise(pl.lit([], pl.List(pl.String)))
    )
    assert preference_levels(rows.with_columns(flags=flags))["score"].to_list() == [-1.0]


def test_levels_fall():
    with pytest.raises(ValueError, match="must fall"):
        preference_levels(graded({"j": {"c": [1.0]}}), rewards=(1.0, 1.0, 0.0, -1.0))
