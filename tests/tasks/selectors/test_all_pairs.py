import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selectors.all_pairs import all_pairs

RS_DPO = [2.0, 1.0, 0.5, -1.0]


def found(scores, **chosen):
    rows = [(f"{i:03d}", float(score)) for i, score in enumerate(scores)]
    frame = pl.DataFrame(rows, schema={"completion_id": pl.String, "score": pl.Float64}, orient="row")
    frame = frame.with_columns(
        content_id="completion_id", prompt_id=pl.lit("p"), finish_reason=pl.lit("stop"), criterion=pl.lit("c"),
        scorer=pl.lit("mean"),
    )  # fmt: skip
    return all_pairs(frame, frame, **chosen)


def pairs(scores, **chosen):
    return [(int(one), int(other)) for one, other in found(scores, **chosen).select("chosen_id", "rejected_id").rows()]


def test_the_rule_of_rs_dpo_at_its_published_setting():
    assert pairs(RS_DPO, min_probability=0.85) == [(0, 3), (1, 3)]
    probabilities = found(RS_DPO, min_probability=0.85)["p_chosen"].to_list()
    assert probabilities == pytest.approx([0.9526, 0.8808], abs=6e-5)


def test_a_lower_temperature_keeps_more():
    assert pairs(RS_DPO, min_probability=0.85, temperature=0.5) == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize(("eta", "margin"), [(0.80, 1.3863), (0.85, 1.7346), (0.90, 2.1972)])
def test_the_threshold_lies_where_the_paper_puts_it(eta, margin):
    assert pairs([margin + 1e-4, 0], min_probability=eta) == [(0, 1)]
    assert pairs([margin - 1e-4, 0], min_probability=eta) == []


def test_every_pair_that_differs_without_a_threshold():
    assert pairs([3, 1, 1]) == [(0, 1), (0, 2)]
    assert len(pairs(range(16))) == 120


def test_the_margin_must_be_exceeded():
    assert pairs([2, 1, 0], min_margin=1.0) == [(0, 2)]


def test_the_cap_keeps_the_widest_margins():
    assert pairs([4, 2, 1, 0], per_prompt=2) == [(0, 2), (0, 3)]
    assert pairs([1, 1, 0], per_prompt=1) == [(0, 2)]


def test_no_probability_is_named_where_none_was_asked_for():
    assert "p_chosen" not in found(RS_DPO).columns


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"min_probability": 0.4}, r"min_probability is 0.4; it must be in \[0.5, 1\)"),
        ({"min_probability": 1.0}, "min_probability is 1.0"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"min_margin": -1.0}, "min_margin is -1.0"),
        ({"per_prompt": 0}, "per_prompt is 0"),
    ],
)
def test_a_parameter_out_of_range_is_named(chosen, message):
    with pytest.raises(ValueError, match=message):
        pairs(RS_DPO, **chosen)


SCORES = st.lists(st.floats(-5, 5), max_size=8)


@settings(deadline=None)
@given(SCORES, st.floats(0.5, 0.95), st.floats(0.1, 3))
def test_the_rule_holds_for_every_ordered_pair(scores, eta, tau):
    rows = found(scores, min_probability=eta, temperature=tau)
    kept = set(pairs(scores, min_probability=eta, temperature=tau))
    assert rows.filter(pl.col("p_chosen") <= eta).height == 0
    gap = 1e-9
    for i, one in enumerate(scores):
        for j, other in enumerate(scores):
            sure = one - other - tau * float(pl.select(pl.lit(eta / (1 - eta)).log()).item())
            if abs(sure) > gap and one != other:
                assert ((i, j) in kept) == (sure > 0)


@settings(deadline=None)
@given(SCORES, st.floats(0.5, 0.95), st.floats(0.001, 0.04))
def test_what_is_kept_shrinks_with_the_threshold(scores, eta, more):
    few, many = pairs(scores, min_probability=eta + more), pairs(scores, min_probability=eta)
    assert set(few) <= set(many)


@settings(deadline=None)
@given(SCORES, st.floats(-100, 100).map(round))
def test_adding_a_constant_changes_no_pair_far_from_the_threshold(scores, constant):
    rounded = [round(score * 8) / 8 for score in scores]  # sums of eighths are exact
    assert pairs(rounded, min_probability=0.85) == pairs([score + constant for score in rounded], min_probability=0.85)
