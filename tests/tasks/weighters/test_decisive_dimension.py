import orjson
import polars as pl
import pytest

from tasks.weighters.decisive_dimension import decisive_dimension
from tests.support.preferences import pairs


def made(gaps, **chosen):
    """gaps: a row a pair, a column a dimension."""
    names = [f"d{k}" for k in range(len(gaps[0]))]
    rows = [
        (f"{side}{i}", name, gap if side == "c" else 0.0)
        for i, row in enumerate(gaps) for name, gap in zip(names, row, strict=True) for side in "cr"
    ]  # fmt: skip
    scores = pl.DataFrame(rows, schema=["completion_id", "criterion", "score"], orient="row")
    return decisive_dimension(pairs([{}] * len(gaps)), scores, criteria=names, **chosen)


def test_the_dimension_that_speaks_loudest_for_the_label():
    found = made([[2.0, 0.0], [0.0, 3.0], [2.0, -3.0]])
    assert found["level"].to_list() == ["d0", "d1", "d0"]
    assert [orjson.loads(meta)["conflicts"] for meta in found["meta"]] == [0, 0, 1]


def test_nothing_that_speaks_for_the_label_is_undecided():
    assert made([[-1.0, 0.0], [1.0, 1.0]])["level"].to_list()[0] is None


def test_two_as_loud_as_each_other_are_undecided():
    gaps = [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]
    assert made(gaps)["level"].to_list() == [None, None, "d0", "d1"]
    assert made(gaps, clearance=5.0)["level"].to_list() == [None] * 4


def test_one_dimension_alone_decides():
    assert made([[1.0], [-1.0]])["level"].to_list() == ["d0", None]


def test_balanced_weights_give_each_dimension_the_same_sum():
    found = made([[2.0, 0.0], [2.0, 0.1], [2.0, 0.2], [0.0, 3.0], [-1.0, -1.0]], balance=True)
    sums = found.drop_nulls("level").group_by("level").agg(pl.col("weight").sum()).sort("level")
    assert sums["weight"].to_list() == pytest.approx([2.0, 2.0])
    assert found["weight"].to_list()[-1] is None


def test_dimensions_are_needed():
    with pytest.raises(ValueError, match="criteria are empty"):
        decisive_dimension(pairs([{}]), pl.DataFrame(), criteria=[])
