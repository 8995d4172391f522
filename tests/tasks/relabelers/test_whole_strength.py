import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.relabelers.whole_strength import whole_strength
from tests.support.preferences import pairs


@pytest.mark.parametrize(
    ("mean", "strength", "turned"),
    [(7 / 3, 2.0, False), (1 / 3, 0.0, False), (-2.0, 2.0, True), (2.5, 3.0, False), (-2.5, 3.0, True)],
)
def test_rounded_and_turned_round(mean, strength, turned):
    row = whole_strength(pairs([{"strength": mean}])).row(0, named=True)
    assert (row["strength"], row["flipped"]) == (strength, turned)
    assert row["chosen_id"] == ("r0" if turned else "c0")


@given(st.floats(-3, 3))
def test_swapping_two_responses_negates_the_strength_exactly(mean):
    one, other = (whole_strength(pairs([{"strength": value}])).row(0, named=True) for value in (mean, -mean))
    assert one["strength"] == other["strength"]
    assert one["strength"] == 0 or one["flipped"] != other["flipped"]


def test_null_stays_null_and_a_measure_is_needed():
    assert whole_strength(pairs([{}]))["strength"].to_list() == [None]
    with pytest.raises(ValueError, match="no strength"):
        whole_strength(pairs([{}]).drop("strength"))
