from __future__ import annotations

import polars as pl
import pytest

from tasks.weighters.weight_by_strength import weight_by_strength

ROWS = pl.DataFrame(
    {
        "pair_id": list("abc"),
        "strength": [0.8, -2.0, None],
        "p_chosen": [0.9, 0.25, None],
        "strength_std": [0.0, 0.5, 2.0],
    }
)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({}, [0.8, 2.0, None], id="the strength without its sign"),
        pytest.param({"by": "p_chosen"}, [0.8, 0.5, None], id="how far from a coin"),
        pytest.param({"by": "strength_std"}, [1.0, 0.6065, 0.1353], id="exp of minus the uncertainty"),
        pytest.param({"lowest": 1.0, "highest": 1.5}, [1.0, 1.5, None], id="within bounds"),
    ],
)
def test_weights(params: dict[str, str], expected: list[float | None]) -> None:
    found = weight_by_strength(ROWS, **params)["weight"].to_list()  # type: ignore[arg-type]
    assert found == [None if value is None else pytest.approx(value, abs=1e-4) for value in expected]


def test_what_was_not_measured_is_asked_for() -> None:
    with pytest.raises(ValueError, match="no strength_std"):
        weight_by_strength(ROWS.drop("strength_std"), by="strength_std")
    with pytest.raises(ValueError, match="below lowest"):
        weight_by_strength(ROWS, lowest=2.0, highest=1.0)
