from __future__ import annotations

from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reports._strength import gain, of_verdicts, strongest


def values(strength: list[float], agreed: list[float]) -> dict[float, float | None]:
    return {point.share: point.agreed.value for point in strongest(np.array(strength), np.array(agreed))}


def test_the_strongest_are_kept_first() -> None:
    # ten pairs, of which the five strongest are right and one of the others is
    found = values([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], [1, 1, 1, 1, 1, 0, 1, 0, 0, 0])
    assert found[1.0] == pytest.approx(0.6)
    assert found[0.5] == found[0.1] == 1.0
    assert found[0.8] == pytest.approx(6 / 8)


def test_pairs_of_one_strength_count_as_far_as_they_fit_in() -> None:
    # half of four: the strongest one, and a third of the three equal ones, two of which are right
    assert values([2, 1, 1, 1], [0, 1, 1, 0])[0.5] == pytest.approx((0 + 2 / 3) / 2)


def test_the_gain_is_that_of_the_strongest_half() -> None:
    curve = strongest(np.array([4.0, 3, 2, 1]), np.array([1.0, 1, 0, 1]))
    assert gain(curve) == pytest.approx(1 - 0.75)
    assert gain(()) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=40), st.randoms())
def test_the_order_of_the_pairs_does_not_matter(pairs: list[tuple[int, float]], generator: Random) -> None:
    shuffled = generator.sample(pairs, len(pairs))
    one, other = (values([s for s, _ in given], [a for _, a in given]) for given in (pairs, shuffled))
    assert one == pytest.approx(other)
    assert one[1.0] == pytest.approx(sum(a for _, a in pairs) / len(pairs))


def test_the_strength_of_a_pair_is_the_mean_of_its_verdicts() -> None:
    said: dict[str, list[tuple[str, float | None]]] = {
        "sure": [("first", None), ("first", None)],
        "torn": [("first", None), ("second", None)],
        "once": [("first", None), ("failed", None)],
        "hardly": [("second", 0.4), ("second", 0.4)],
        "tied": [("first", None)],
        "failed": [("failed", None)],
    }
    rows = [
        {"item_id": item, "read": read, "probability": chance, "label": "tie" if item == "tied" else "first"}
        for item, verdicts in said.items()
        for read, chance in verdicts
    ]
    found = of_verdicts(pl.DataFrame(rows, schema_overrides={"probability": pl.Float64}))
    # sure and once are right and strongest, hardly is wrong, torn counts half and is weakest
    assert [point.agreed.n for point in found[:1]] == [4]
    by_share = {point.share: point.agreed.value for point in found}
    assert by_share[1.0] == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert by_share[0.5] == 1.0
    assert by_share[0.8] == pytest.approx(2 / 3)
