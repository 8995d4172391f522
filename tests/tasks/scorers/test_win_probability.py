import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scorers.win_probability import win_probability
from tests.support.scored import duels, graded


def scores(judgments, **chosen):
    return win_probability(judgments, **chosen).sort("completion_id")["score"].to_list()


def test_the_published_win_matrix_of_ratings():
    ratings = graded({"j": {"c": [1.0, 0.0, -1.0]}})
    assert scores(ratings, itself=True) == pytest.approx([0.704, 0.5, 0.296], abs=6e-5)
    assert scores(ratings) == pytest.approx([(0.731059 + 0.880797) / 2, 0.5, (0.268941 + 0.119203) / 2], abs=6e-5)


def votes(first, second, share):
    """Ten voices, as many for the first as the share says."""
    wins = round(10 * share)
    return [duels([(first, second, 1.0 if k < wins else 0.0)], judge=f"j{k}") for k in range(10)]


def test_the_published_win_matrix_of_comparisons():
    table = pl.concat([*votes("000", "001", 0.9), *votes("000", "002", 0.2), *votes("001", "002", 0.7)])
    assert scores(table) == pytest.approx([0.55, 0.4, 0.55])
    assert scores(table, itself=True) == pytest.approx([0.5333, 0.4333, 0.5333], abs=6e-5)
    assert sum(scores(table)) == pytest.approx(3 / 2)


def test_graded_labels_of_lists():
    table = pl.concat([*votes("000", "001", 0.8), *votes("000", "002", 0.9), *votes("001", "002", 0.6)])
    assert scores(table, itself=True) == pytest.approx([0.7333, 0.4333, 0.3333], abs=6e-5)


def test_a_circle_is_a_half_each():
    assert scores(duels([("000", "001", 1), ("001", "002", 1), ("002", "000", 1)])) == [0.5, 0.5, 0.5]


def test_a_failed_judgment_is_no_vote():
    failed = duels([("000", "001", 1)]).with_columns(outcome=pl.lit("unparsable"))
    assert scores(pl.concat([duels([("000", "001", 0)]), failed])) == [0.0, 1.0]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(-100, 100))
def test_with_itself_the_mean_is_a_half_and_a_constant_changes_nothing(ratings, constant):
    found = scores(graded({"j": {"c": ratings}}), itself=True)
    assert sum(found) / len(found) == pytest.approx(0.5)
    shifted = scores(graded({"j": {"c": [rating + constant for rating in ratings]}}), itself=True)
    assert shifted == pytest.approx(found, abs=1e-6)


def test_temperature_is_above_nought():
    with pytest.raises(ValueError, match="temperature is 0"):
        win_probability(graded({"j": {"c": [1.0]}}), temperature=0.0)
