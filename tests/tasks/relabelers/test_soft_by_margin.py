import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.relabelers.soft_by_margin import soft_by_margin
from tests.support.preferences import pairs


@pytest.mark.parametrize(
    ("gap", "probability", "turned"), [(2.0, 0.7311, False), (0.0, 0.5, False), (-1.5, 0.6792, True)]
)
def test_the_published_targets(gap, probability, turned):
    row = soft_by_margin(pairs([{"margin": gap}]), scale=0.5).row(0, named=True)
    assert row["p_chosen"] == pytest.approx(probability, abs=6e-5)
    assert row["flipped"] is turned
    assert row["chosen_id"] == ("r0" if turned else "c0")
    assert row["chosen"][0]["content"] == ("text r0" if turned else "text c0")
    assert row["margin"] == abs(gap)


def test_no_score_is_a_hard_label():
    row = soft_by_margin(pairs([{}])).row(0, named=True)
    assert (row["p_chosen"], row["flipped"]) == (1.0, False)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_no_probability_is_below_a_half_and_texts_follow(gaps):
    made = soft_by_margin(pairs([{"margin": gap} for gap in gaps]))
    assert min(made["p_chosen"]) >= 0.5
    assert min(made["margin"]) >= 0
    for row in made.to_dicts():
        assert row["chosen"][0]["content"] == f"text {row['chosen_id']}"


def test_scale_is_above_nought():
    with pytest.raises(ValueError, match="scale is 0"):
        soft_by_margin(pairs([{}]), scale=0.0)
