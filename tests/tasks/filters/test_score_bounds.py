import pytest

from tasks.filters.score_bounds import score_bounds
from tests.support.preferences import pairs


@pytest.mark.parametrize(("votes", "half", "most"), [(5, True, False), (4, True, False), (6, True, True)])
def test_votes_of_eight_against_half_and_seven_tenths(votes, half, most):
    rows = pairs([{"chosen_score": votes / 8}])
    assert (score_bounds(rows, least_chosen=0.5).height == 0) is half
    assert (score_bounds(rows, least_chosen=0.7).height == 0) is most


def test_reasons_and_values():
    rows = pairs([{"chosen_score": 1.0, "rejected_score": 0.9}, {"chosen_score": 0.2, "rejected_score": 0.9}, {}])
    assert score_bounds(rows, least_chosen=0.5, most_rejected=0.5).rows() == [
        ("0", "rejected too high", "0.9"), ("1", "chosen too low", "0.2"), ("2", "chosen too low", None),
    ]  # fmt: skip


def test_a_bound_is_needed():
    with pytest.raises(ValueError, match="no bound"):
        score_bounds(pairs([{}]))
