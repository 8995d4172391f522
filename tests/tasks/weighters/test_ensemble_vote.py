from __future__ import annotations

import polars as pl
import pytest

from tasks.weighters.ensemble_vote import ensemble_vote

PAIR = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": ["a"], "rejected_id": ["b"]})


def rewards(differences: list[float]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"prompt_id": "p", "judge": f"rm{i}", "fingerprint": f"rm{i}", "kind": "pointwise", "subjects": [name],
             "criterion": "overall", "outcome": "valid", "score": score}
            for i, difference in enumerate(differences) for name, score in (("a", 3.0 + difference), ("b", 3.0))
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        pytest.param([1.2, 0.8, 1.0], (1.0, 0.1633, 0.7311), id="a clear pair"),
        pytest.param([0.1, -0.2, 0.4], (0.1, 0.2449, 0.525), id="an ambiguous one"),
        pytest.param([-0.6, -0.9, -0.3], (-0.6, 0.2449, 0.3543), id="one to flip"),
        pytest.param([0.05, 0.0, -0.05], (0.0, 0.0408, 0.5), id="nothing in it"),
        pytest.param([2.5, 3.0, 2.0], (2.5, 0.4082, 0.9241), id="a strong one"),
    ],
)
def test_ten_models_margins_give_strength_spread_and_soft_label(
    differences: list[float], expected: tuple[float, ...]
) -> None:
    found = ensemble_vote(PAIR, rewards(differences))
    assert found.select("strength", "strength_std", "p_chosen").row(0) == pytest.approx(expected, abs=1e-4)


def test_one_judge_is_no_ensemble() -> None:
    found = ensemble_vote(PAIR, rewards([1.0]))
    assert found.select("strength", "strength_std", "p_chosen").row(0) == (None, None, None)
    assert ensemble_vote(PAIR, rewards([1.0]), least_judges=1)["strength"].to_list() == [1.0]
