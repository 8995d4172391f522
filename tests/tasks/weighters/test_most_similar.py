from __future__ import annotations

import polars as pl
import pytest

from tasks.weighters.most_similar import most_similar


def measured(margins: list[float], chosen: str = "a", rejected: str = "b", **params: int) -> tuple[float | None, ...]:
    preferences = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": [chosen], "rejected_id": [rejected]})
    judgments = pl.DataFrame(
        [
            {"prompt_id": "p", "judge": f"annotator{i}", "fingerprint": "f", "kind": "pointwise", "subjects": [name],
             "criterion": "overall", "outcome": "valid", "score": score}
            for i, margin in enumerate(margins) for name, score in (("a", float(margin)), ("b", 0.0))
        ]
    )  # fmt: skip
    found = most_similar(preferences, judgments, **params)  # type: ignore[arg-type]
    return found.select("strength", "strength_std").row(0)


@pytest.mark.parametrize(
    ("margins", "mean", "spread"),
    [
        pytest.param([2, 2, 3, -1, -3], 7 / 3, 0.5, id="the three that agree"),
        pytest.param([-1, 1, 3], 1.0, 2.0, id="a range of four, to be dropped"),
        pytest.param([-1, 1, 1], 1 / 3, 1.0, id="rounds to nought"),
        pytest.param([-2, -3, -1], -2.0, 1.0, id="for the rejected"),
        pytest.param([-3, -3, -2, 2, 3, 3], 0.0, 0.5, id="two camps alike are averaged"),
    ],
)
def test_the_narrowest_three_are_averaged_and_mirrored(margins: list[float], mean: float, spread: float) -> None:
    assert measured(margins) == pytest.approx((mean, spread))
    assert measured(margins, "b", "a") == pytest.approx((-mean, spread))


def test_fewer_than_three_are_not_measured() -> None:
    assert measured([1, 2]) == (None, None)
    assert measured([1, 2], keep=2) == (1.5, 0.5)
