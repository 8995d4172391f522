import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selectors._sets import starts
from tasks.selectors.length_debiased import ends, length_debiased
from tests.support.scored import one, places

SCORES, LENGTHS = [12, 9, 7, 2, 5, 4, 3, 1], [400, 200, 150, 100, 120, 90, 300, 60]
PROMPTS = ["p"] * 4 + ["q"] * 4


def made(highest, step):
    completions, scores = one(SCORES, prompt_id=PROMPTS)
    return length_debiased(completions.with_columns(characters=pl.Series(LENGTHS)), scores, highest=highest, step=step)


@pytest.mark.parametrize(("price", "gap"), [(0.0, 180), (0.01, 60), (0.02, -40), (0.05, -230)])
def test_the_mean_gap_of_lengths_at_each_price(price, gap):
    rows = pl.DataFrame({"group": [0] * 4 + [1] * 4}).with_row_index("row")
    score, length = np.array(SCORES, dtype=float), np.array(LENGTHS, dtype=float)
    prices, begin = np.arange(6) * 0.01, starts(rows)
    both = ends(rows, score, length, begin, prices) - ends(rows, -score, -length, begin, prices)
    assert both[round(price / 0.01)] / 2 == gap


def test_the_lowest_of_the_best_prices_is_taken():
    found = made(0.05, 0.01)
    note = orjson.loads(found["meta"][0])
    assert note == {"length_price": 0.02, "length_gap": -40.0}
    assert places(found) == [(1, 3), (4, 6)]
    assert found["chosen_score"].to_list() == pytest.approx([5.0, 2.6])


GROUPS = st.lists(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 60)), min_size=1, max_size=6), min_size=1,
                  max_size=4)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(GROUPS)
def test_walking_from_point_to_point_finds_what_looking_at_every_price_finds(groups):
    rows = pl.DataFrame({"group": [g for g, group in enumerate(groups) for _ in group]}).with_row_index("row")
    score = np.array([s for group in groups for s, _ in group], dtype=float)
    length = np.array([n for group in groups for _, n in group], dtype=float)
    prices = (np.arange(40) + np.r_[0.0, np.full(39, 0.0137)]) * 0.0719  # between the points where lines cross
    found = ends(rows, score, length, starts(rows), prices)
    for place, price in enumerate(prices):
        total = 0.0
        for g in range(len(groups)):
            own = np.flatnonzero(rows["group"].to_numpy() == g)
            total += length[own[np.argmax(score[own] - price * length[own])]]
        assert found[place] == total


def test_the_best_price_is_found_beyond_one_that_is_worse():
    rng = np.random.default_rng(5)
    prompts = [f"{i // 6:02d}" for i in range(240)]
    score, length = rng.normal(0, 5, 240), rng.integers(20, 400, 240)
    completions, scores = one(score.tolist(), prompt_id=prompts)
    found = length_debiased(completions.with_columns(characters=pl.Series(length)), scores, highest=0.2, step=0.001)
    best = abs(orjson.loads(found["meta"][0])["length_gap"])
    for price in np.arange(201) * 0.001:
        charged = (score - price * length).reshape(40, 6)
        own = length.reshape(40, 6)
        gap = np.mean([o[c.argmax()] - o[c.argmin()] for c, o in zip(charged, own, strict=True)])
        assert abs(gap) >= best - 1e-9


def test_tokens_stand_in_for_characters_and_none_is_refused():
    completions, scores = one([1.0, 0.0], completion_tokens=[5, 5])
    assert length_debiased(completions, scores).height == 1
    with pytest.raises(ValueError, match="has no length"):
        length_debiased(*one([1.0, 0.0]))
    with pytest.raises(ValueError, match="step is 0"):
        length_debiased(completions, scores, step=0.0)
