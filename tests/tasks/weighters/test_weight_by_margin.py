import pytest

from tasks.weighters.weight_by_margin import weight_by_margin
from tests.support.preferences import pairs


@pytest.mark.parametrize(("votes", "weight"), [((5, 1), 0.5), ((4, 1), 0.375), ((6, 1), 0.625)])
def test_the_difference_of_vote_shares(votes, weight):
    rows = pairs([{"margin": (votes[0] - votes[1]) / 8}])
    assert weight_by_margin(rows)["weight"].to_list() == [weight]


def test_bounds_and_no_margin():
    rows = pairs([{"margin": 3.0}, {"margin": -1.0}, {}])
    assert weight_by_margin(rows, factor=0.5, highest=1.0)["weight"].to_list() == [1.0, 0.0, None]
    with pytest.raises(ValueError, match="factor is -1"):
        weight_by_margin(rows, factor=-1.0)
