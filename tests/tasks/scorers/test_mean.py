import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scorers.mean import mean

SCHEMA = {
    "prompt_id": pl.String, "subjects": pl.List(pl.String), "criterion": pl.String, "kind": pl.String,
    "outcome": pl.String, "score": pl.Float64,
}  # fmt: skip


def judgments(*rows):
    full = [("p", [name], "overall", "pointwise", outcome, score) for name, outcome, score in rows]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def scores(frame):
    return {row["completion_id"]: row for row in mean(frame).to_dicts()}


def test_the_mean_its_error_and_its_place_in_the_prompt():
    found = scores(judgments(("a", "valid", 2.0), ("a", "valid", 4.0), ("b", "valid", 1.0), ("c", "valid", 3.0)))
    assert found["a"]["score"] == 3.0
    assert found["a"]["judgments"] == 2
    assert found["a"]["standard_error"] == pytest.approx(1.0)  # sample sd of 2, 4 is sqrt(2)
    assert found["b"]["standard_error"] is None
    # b below a and c, which tie: ranks 1, 2.5, 2.5 of three
    assert {name: row["quantile"] for name, row in found.items()} == pytest.approx({"a": 2 / 3, "b": 1 / 6, "c": 2 / 3})
    assert {row["scorer"] for row in found.values()} == {"mean"}


@pytest.mark.parametrize("outcome", ["refused", "unparsable", "truncated", "error"])
def test_a_failed_judgment_enters_no_mean(outcome):
    found = scores(judgments(("a", "valid", 4.0), ("a", outcome, None), ("b", outcome, None), ("c", outcome, -1.0)))
    assert {name: (row["score"], row["judgments"]) for name, row in found.items()} == {"a": (4.0, 1)}


def test_pairwise_verdicts_and_scores_that_are_no_number_do_not_count():
    frame = judgments(("a", "valid", 1.0), ("b", "valid", float("nan")))
    duel = judgments(("c", "valid", 1.0)).with_columns(kind=pl.lit("pairwise"))
    assert set(scores(pl.concat([frame, duel]))) == {"a"}


def test_criteria_stay_apart():
    frame = judgments(("a", "valid", 1.0))
    both = pl.concat([frame, frame.with_columns(criterion=pl.lit("style"), score=pl.lit(5.0))])
    assert mean(both).select("criterion", "score").rows() == [("overall", 1.0), ("style", 5.0)]


def test_no_judgments_give_no_scores():
    assert mean(judgments()).height == 0


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["valid", "error"]), st.floats(-9, 9)), max_size=12)


@settings(deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_judgments_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert mean(judgments(*rows)).equals(mean(judgments(*shuffled)))


@settings(deadline=None)
@given(ROWS)
def test_the_mean_lies_between_its_judgments_and_quantiles_inside_the_unit(rows):
    for name, row in scores(judgments(*rows)).items():
        valid = [score for found, outcome, score in rows if found == name and outcome == "valid"]
        assert min(valid) - 1e-9 <= row["score"] <= max(valid) + 1e-9
        assert row["judgments"] == len(valid)
        assert 0 < row["quantile"] < 1
        assert row["standard_error"] is None or math.isfinite(row["standard_error"])
