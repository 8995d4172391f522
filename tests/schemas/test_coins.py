import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.coins import coins

IDS = st.lists(st.text(max_size=40), min_size=1, max_size=9)


@given(IDS, st.integers(0, 2**40))
def test_a_coin_depends_on_its_seed_and_id_alone(ids, seed):
    together = coins(seed, pl.Series(ids, dtype=pl.String))
    alone = [coins(seed, pl.Series([name], dtype=pl.String))[0] for name in ids]
    assert together.tolist() == alone
    assert ((together >= 0) & (together < 1)).all()


def test_coins_are_spread_evenly_and_differ_by_seed_and_purpose():
    ids = pl.Series([f"{i:032x}" for i in range(20_000)])
    one, other, purpose = coins(0, ids), coins(1, ids), coins(0, ids, "second")
    for toss in (one, other, purpose):
        shares = np.histogram(toss, bins=10, range=(0, 1))[0] / len(ids)
        assert shares == pytest.approx([0.1] * 10, abs=0.012)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(one, purpose)[0, 1]) < 0.03


def test_a_coin_is_the_same_everywhere():
    assert coins(7, pl.Series(["prompt", "a", ""])) == pytest.approx(
        [0.5551036780800968, 0.5225606677662189, 0.6648851752517038], abs=0
    )


def test_no_ids_no_coins():
    assert coins(0, pl.Series([], dtype=pl.String)).tolist() == []
