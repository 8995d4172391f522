from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.weighters.strength import strength


def pair(chosen: str = "a", rejected: str = "b", criterion: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "pair_id": ["x"],
            "prompt_id": ["p"],
            "chosen_id": [chosen],
            "rejected_id": [rejected],
            "criterion": [criterion],
        },
        schema_overrides={"criterion": pl.String},
    )


def duel(first: str, second: str, winner: str | None, judge: str = "j", outcome: str | None = None) -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pairwise", "subjects": [first, second],
            "criterion": "overall", "outcome": outcome or ("valid" if winner else "tie"), "winner": winner,
            "score": None}  # fmt: skip


def rating(completion: str, score: float | None, judge: str = "j", outcome: str = "valid") -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pointwise", "subjects": [completion],
            "criterion": "overall", "outcome": outcome, "winner": None, "score": score}  # fmt: skip


def measured(rows: list[dict[str, Any]], preferences: pl.DataFrame | None = None, **params: Any) -> tuple[Any, ...]:
    judgments = pl.DataFrame(rows, schema_overrides={"score": pl.Float64, "winner": pl.String})
    found = strength(pair() if preferences is None else preferences, judgments, **params)
    return found.select("strength", "strength_std").row(0)


def test_verdicts_over_orders_and_judges_are_averaged() -> None:
    rows = [duel("a", "b", "a"), duel("b", "a", "a"), duel("a", "b", "b", "k"), duel("b", "a", None, "k")]
    # margins 1, 1, -1, 0: mean 1/4, population variance 3/4 - 1/16 = 11/16
    assert measured(rows) == pytest.approx((0.25, (11 / 16) ** 0.5))


def test_ratings_give_their_difference() -> None:
    rows = [rating("a", 8), rating("b", 5), rating("a", 9, "k"), rating("b", 9, "k")]
    assert measured(rows) == pytest.approx((1.5, 1.5))
    assert measured(rows, scale=9) == pytest.approx((1 / 6, 1 / 6))


def test_every_repeat_meets_every_repeat() -> None:
    assert measured([rating("a", 3), rating("a", 5), rating("b", 1)]) == pytest.approx((3.0, 1.0))


@pytest.mark.parametrize("outcome", ["refused", "unparsable", "truncated", "error"])
def test_a_failure_is_no_margin_of_nought(outcome: str) -> None:
    assert measured([duel("a", "b", "a"), duel("b", "a", None, outcome=outcome)]) == (1.0, 0.0)
    assert measured([rating("a", 3), rating("b", None, outcome=outcome)]) == (None, None)


def test_only_the_pairs_criterion_and_the_named_judges_count() -> None:
    rows = [duel("a", "b", "a"), duel("a", "b", "b", "k"), {**duel("a", "b", "b"), "criterion": "style"}]
    assert measured(rows, pair(criterion="overall"), judges=["j"]) == (1.0, 0.0)
    assert measured(rows)[0] == pytest.approx(-1 / 3)


def test_a_scale_of_nought_is_refused() -> None:
    with pytest.raises(ValueError, match="scale is 0"):
        measured([duel("a", "b", "a")], scale=0)


votes = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["a", "b", None]), st.sampled_from(["j", "k"])), min_size=1, max_size=12
)


@settings(max_examples=40, deadline=None)
@given(votes, st.randoms())
def test_swapping_a_pair_mirrors_its_strength_and_order_does_not_matter(
    said: list[tuple[bool, str | None, str]], random: Any
) -> None:
    rows = [duel(*(("a", "b") if straight else ("b", "a")), winner, judge) for straight, winner, judge in said]
    mean, std = measured(rows)
    assert measured(random.sample(rows, len(rows))) == (mean, std)
    assert measured(rows, pair("b", "a")) == pytest.approx((-mean, std))
