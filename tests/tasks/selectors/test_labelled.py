import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.labelled import HIGHEST, class_weights, labelled
from tests.support.scored import one


def labels(scores, **chosen):
    return labelled(*one(scores), **chosen)["label"].to_list()


def test_a_score_that_reaches_the_threshold_is_good():
    assert labels([0.5, 0.4, 1.0]) == [True, False, True]
    assert labels([0, 1, 5], threshold="mean") == [False, False, True]
    assert labels([0, 1, 5], threshold="median") == [False, True, True]
    assert labels([0.4, 0.6], threshold=0.5) == [False, True]  # a fraction is a threshold like any other


@pytest.mark.parametrize(
    ("good", "bad", "lowest", "highest"), [(300, 200, 1.125, 1.5), (100, 400, 0.1875, 0.25), (400, 100, 3, 4)]
)
def test_class_weights_lie_in_the_papers_range(good, bad, lowest, highest):
    up, down = class_weights(good, bad)
    assert up == 1.0
    assert lowest <= down <= highest


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_labels_that_are_true_weigh_one_to_four_thirds(good, bad):
    up, down = class_weights(good, bad)
    assert 1 - 1e-9 <= good * up / (bad * down) <= HIGHEST + 1e-9


def test_balanced_classes_keep_their_weight():
    assert class_weights(100, 100) == class_weights(0, 5) == class_weights(5, 0) == (1.0, 1.0)


def test_weights_are_columns():
    found = labelled(*one([1, 1, 1, 0]), balance="weights")
    assert found["weight"].to_list() == [1.0, 1.0, 1.0, 2.25]


def test_equal_counts_are_drawn_by_lot():
    tables = one([1, 1, 1, 0])
    found = labelled(*tables, balance="counts")
    assert sorted(found["label"]) == [False, True]
    kept = {labelled(*tables, balance="counts", seed=seed).filter("label")["completion_id"][0] for seed in range(60)}
    assert kept == {"000", "001", "002"}


def test_words_stand_for_the_labels():
    found = labelled(*one([1, 0]), words=("bad", "good"))
    assert found["conditioning"].to_list() == ["good", "bad"]
    assert found["reward"].to_list() == [1.0, 0.0]
