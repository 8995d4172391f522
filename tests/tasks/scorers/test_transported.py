import polars as pl
import pytest

from tasks.scorers.transported import matched, transported
from tests.support.scored import completions, judgments


def rated(rows):
    """(prompt, completion, criterion, score)"""
    return judgments([
        {"prompt_id": p, "kind": "pointwise", "subjects": [c], "criterion": k, "score": s} for p, c, k, s in rows
    ])  # fmt: skip


def source(count=20):
    return [
        row
        for i in range(count)
        for row in ((f"s{i}", f"s{i}", "length", float(i % 2)), (f"s{i}", f"s{i}", "quality", float(i % 2)))
    ]


NONE = completions([]).with_columns(label=pl.lit(None, pl.Boolean))


def carried(rows, own=NONE, **chosen):
    return transported(rows, own, **chosen)


def test_what_looks_like_the_good_ones_is_good():
    target = [("t", "a", "length", 0.0), ("t", "b", "length", 1.0)]
    found = carried(rated(source() + target), label="quality", features=("length",), sharpness=50.0)
    assert found["completion_id"].to_list() == ["a", "b"]
    assert found["score"].to_list() == pytest.approx([0.0, 1.0], abs=0.01)
    assert found["standard_error"].to_list() == pytest.approx([0.0, 0.0], abs=0.1)


def test_a_prompts_completions_spread_over_the_labels():
    target = [("t", "a", "length", 1.0), ("t", "b", "length", 1.0)]
    found = carried(rated(source() + target), label="quality", features=("length",))
    assert found["score"].to_list() == pytest.approx([0.5, 0.5])  # two alike take good and bad labels alike
    assert found["standard_error"].to_list() == pytest.approx([0.5, 0.5])


def test_what_lacks_a_feature_has_no_score_and_what_has_a_label_keeps_it():
    target = [("t", "a", "length", 0.0), ("t", "b", "other", 1.0)]
    found = carried(rated(source() + target), label="quality", features=("length",))
    assert found["completion_id"].to_list() == ["a"]


def test_rows_of_a_plan_sum_to_one_and_columns_are_taken_evenly():
    import numpy as np

    plan = matched(np.random.default_rng(0).random((3, 4, 8)))
    assert plan.sum(axis=2) == pytest.approx(np.ones((3, 4)))
    assert plan.sum(axis=1) == pytest.approx(np.full((3, 8), 0.5), abs=1e-6)


def test_order_of_rows_does_not_matter():
    rows = rated([*source(), ("t", "a", "length", 0.0), ("t", "b", "length", 1.0), ("u", "c", "length", 1.0)])
    one = carried(rows, label="quality", features=("length",))
    assert carried(rows.reverse(), label="quality", features=("length",)).equals(one)


def test_without_a_label_anywhere_nothing_can_be_carried():
    with pytest.raises(ValueError, match="no completion has a label"):
        carried(rated([("t", "a", "length", 0.0)]), label="quality", features=("length",))
    with pytest.raises(ValueError, match="features are"):
        carried(rated([]), label="quality", features=("quality",))
    none = carried(rated(source()), label="quality", features=("length",))
    assert none.height == 0
    assert isinstance(none, pl.DataFrame)


def test_labels_that_the_data_brought_may_be_carried():
    names = [f"s{i}" for i in range(20)]
    own = completions([{"completion_id": name} for name in [*names, "a", "b"]])
    own = own.with_columns(label=pl.Series([bool(i % 2) for i in range(20)] + [None, None]))
    rows = [row for row in source() if row[2] == "length"] + [("t", "a", "length", 0.0), ("t", "b", "length", 1.0)]
    found = carried(rated(rows), own, features=("length",), sharpness=50.0)
    assert found["score"].to_list() == pytest.approx([0.0, 1.0], abs=0.01)
