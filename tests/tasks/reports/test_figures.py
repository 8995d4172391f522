import polars as pl
import pytest

from tasks.reports.figures import figures, histogram, length_choice
from tests.support.pairs import pair, pairs


def test_the_longer_is_chosen_equal_lengths_count_in_no_share():
    found = length_choice(pl.Series([10, 20, 10, 16]), pl.Series([5, 10, 10, 20]))
    assert found["all"]["value"] == pytest.approx(2 / 3)
    assert (found["all"]["n"], found["equal"]) == (3, 1)
    assert found["ratio_1.5"] == {"value": 1.0, "low": pytest.approx(0.342, abs=1e-3), "high": 1.0, "n": 2}
    assert [(band["from"], band["n"]) for band in found["by_ratio"]] == [(1, 0), (1.25, 1), (1.5, 0), (2, 2), (3, 0)]
    assert sum(found["log2_ratio"]["counts"]) == 4


def test_few_values_are_counted_one_by_one_and_many_in_bins():
    few = histogram(pl.Series([1.0, 2.0, 2.0, None]))
    assert few == {
        "n": 3,
        "missing": 1,
        "mean": pytest.approx(5 / 3),
        "median": 2.0,
        "values": [1, 2],
        "counts": [1, 2],
    }
    many = histogram(pl.Series([i / 10 for i in range(100)]))
    assert many is not None
    assert sum(many["counts"]) == 100
    assert len(many["edges"]) == len(many["counts"]) + 1
    assert histogram(pl.Series([None], dtype=pl.Float64)) is None


def test_an_outlier_does_not_flatten_the_histogram():
    found = histogram(pl.Series([*(i / 100 for i in range(1000)), 1e9]))
    assert found is not None
    assert found["edges"][-1] < 100
    assert sum(found["counts"]) == 1001


def test_figures_of_a_handful_of_pairs():
    rows = pairs(pair("1", "one two two", "one", margin=1.0, source="web"), pair("2", "a", "bb", source="web"))
    found = figures(rows.lazy())
    assert (found["pairs"], found["prompts"], found["pairs_a_prompt"]) == (2, 2, 1.0)
    assert found["lengths"]["chosen"]["mean"] == 6.0
    assert found["histograms"]["margin"]["missing"] == 1
    assert "strength" not in found["histograms"]
    assert found["distinct"] == {"distinct_1": 0.75, "distinct_2": 1.0}  # one two two a; one-two two-two
    assert found["shares"]["source"] == [{"value": "web", "pairs": 2}]
    assert figures(pairs().lazy())["length_choice"]["all"]["value"] is None
