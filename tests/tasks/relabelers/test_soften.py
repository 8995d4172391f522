from __future__ import annotations

import polars as pl
import pytest

from tasks.relabelers.soften import soften

ROWS = pl.DataFrame({"pair_id": list("abcdef"), "strength": [1.0, 0.1, -0.6, 2.5, None, 0.0]})


def values(frame: pl.DataFrame) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in frame["p_chosen"].to_list()]


def test_the_soft_label_is_the_sigmoid_of_the_strength() -> None:
    assert values(soften(ROWS)) == [0.7311, 0.525, 0.3543, 0.9241, None, 0.5]
    assert values(soften(ROWS, temperature=0.5))[0] == 0.8808


def test_only_the_band_is_softened_and_bands_compose() -> None:
    # from the weakest: c, f, b, a, d; the second and third fifth are f and b, the last is d
    middle = soften(ROWS, weaker=0.2, stronger=0.6)
    assert values(middle) == [None, 0.525, None, None, None, 0.5]
    assert values(soften(middle, to="smoothed", smoothing=0.1, weaker=0.8)) == [None, 0.525, None, 0.9, None, 0.5]


@pytest.mark.parametrize(
    "params", [{"weaker": 0.5, "stronger": 0.5}, {"temperature": 0.0}, {"smoothing": 0.5}, {"stronger": 1.1}]
)
def test_what_makes_no_sense_is_refused(params: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="the band"):
        soften(ROWS, **params)  # type: ignore[arg-type]


def test_an_unmeasured_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no strength"):
        soften(ROWS.drop("strength"))
