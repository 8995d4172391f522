from __future__ import annotations

import polars as pl
import pytest

from tasks.scorers.uncertainty_weighted import uncertainty_weighted

# The example of the ensembles of Coste et al.: the mean picks A, the ensemble's doubt picks B.
A, B = [1.0, 2.0, 0.5, 1.5, 2.0], [1.2, 1.3, 1.2, 1.4, 1.3]


def rated(scores: dict[str, list[float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"prompt_id": "p", "judge": f"rm{i}", "fingerprint": f"rm{i}", "kind": "pointwise", "subjects": [name],
             "criterion": "overall", "outcome": "valid", "score": score}
            for name, given in scores.items() for i, score in enumerate(given)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"coefficient": 0.0}, [1.4, 1.28], id="the mean picks A"),
        pytest.param({"coefficient": 0.5}, [1.23, 1.2772], id="population variance .34 and .0056 pick B"),
        pytest.param({"coefficient": 0.1, "variance": "sample"}, [1.3575, 1.2793], id="sample variance .425 and .007"),
    ],
)
def test_disagreement_has_a_price(params: dict[str, float], expected: list[float]) -> None:
    assert uncertainty_weighted(rated({"a": A, "b": B}), **params)["score"].to_list() == pytest.approx(expected)  # type: ignore[arg-type]


def test_one_judge_shows_no_disagreement() -> None:
    assert uncertainty_weighted(rated({"a": [2.0]}))["score"].to_list() == [2.0]
    assert uncertainty_weighted(rated({"a": [2.0]}), variance="sample").height == 0
