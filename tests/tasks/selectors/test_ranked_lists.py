import orjson
import pytest

from tasks.selectors.ranked_lists import ranked_lists
from tests.support.scored import one


def lists(scores, **chosen):
    found = ranked_lists(*one(scores), **chosen)
    return [
        ([int(i) for i in ids], rewards, ranks)
        for ids, rewards, ranks in found.select("completion_ids", "rewards", "ranks").iter_rows()
    ]


def test_best_first_with_rewards_and_ranks():
    assert lists([0.5, 3.0, 1.0]) == [([1, 2, 0], [3.0, 1.0, 0.5], [1, 2, 3])]


def test_ties_share_a_rank_and_are_noted():
    assert lists([1.0, 2.0, 1.0]) == [([1, 0, 2], [2.0, 1.0, 1.0], [1, 2, 2])]
    assert [orjson.loads(ranked_lists(*one(scores))["meta"][0]) for scores in ([1, 2, 1], [1, 2])] == [
        {"ties": True}, {"ties": False},
    ]  # fmt: skip


def test_strictly_falling_rewards_leave_out_ties():
    assert lists([1.0, 2.0, 1.0], strict=True) == [([1, 0], [2.0, 1.0], [1, 2])]


def test_a_list_of_ties_orders_nothing():
    assert lists([1.0, 1.0]) == []


def test_lists_of_one_length():
    assert lists([0, 1, 2, 3], length=3) == [([3, 2, 1], [3.0, 2.0, 1.0], [1, 2, 3])]
    assert lists([0, 1], length=3) == []
    assert lists([0, 1], least=3) == []


@pytest.mark.parametrize(
    ("alpha", "shares"),
    [(1.0, [0.6623, 0.2436, 0.0896, 0.0045]), (0.333, [0.9505, 0.0472, 0.0023, 0.0])],
)
def test_softmax_labels(alpha, shares):
    ((_, rewards, _),) = lists([8, 7, 6, 3], softmax=alpha)
    assert rewards == pytest.approx(shares, abs=6e-5)


def test_a_tie_stays_one_however_sharp_the_softmax():
    ((_, rewards, ranks),) = lists([8, 8, 3], softmax=1e-4)
    assert rewards == pytest.approx([0.5, 0.5, 0.0])
    assert ranks == [1, 1, 3]


@pytest.mark.parametrize("wrong", [{"least": 1}, {"length": 1}, {"softmax": 0.0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="lists need two"):
        lists([1, 2], **wrong)
