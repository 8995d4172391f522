"""Worked examples of the published systems, by hand."""

from __future__ import annotations

import math

import pytest

from tasks.searches import _formulas as f
from tasks.searches._bisect import Probe, bisected, change_point, log_odds, middle
from tasks.searches.controlled import schedule


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-6)


def test_mcts_dpo_priors_and_puct() -> None:
    priors = f.prior_length(-2.0, 4), f.prior_length(-2.0, 8)
    assert priors == (near(0.702189), near(0.861870))
    assert f.puct(0.9, priors[0], 1, 0, 1.0) == near(1.602189)
    assert f.puct(0.4, priors[1], 1, 0, 1.0) == near(1.261870)


def test_mcts_dpo_step_values() -> None:
    assert f.step_confidence(0.8, 1, True) == near(2.05)
    assert f.step_confidence(0.3, 1, False) == near(-0.7)
    assert f.step_confidence(0.8, 7) == near(0.2)


def test_alphamath_prior_and_puct() -> None:
    prior = f.prior_mean(-12.0, 20)
    assert prior == near(0.548812)
    assert f.puct(0.2, prior, 9, 2, 1.25) == near(0.886015)


def test_rest_mcts_ucb_rollout_update_and_backup() -> None:
    assert f.uct(0.6, 10, 3, 0.5) == near(1.219487)
    assert f.rollout_update(0.6, 0.9) == near(0.75)
    assert f.mean_of_children([(0.75, 2), (0.2, 1)]) == near(0.566667)


def test_lats_and_armap_exploration() -> None:
    assert f.uct(0.75, 5, 2, 1.0) == near(2.018636)
    assert f.ucb_damped(0.5, 10, 2, 4.5 * math.sqrt(2)) == near(3.718949)


def test_longdpo_growing_exploration() -> None:
    assert f.schedule(4, 1) == near(1.250254)


def test_omegaprm_pool() -> None:
    assert [f.pool(mc, words) for mc, words in ((0.25, 100), (0.75, 100), (0.75, 400))] == [
        near(0.582205), near(0.823362), near(0.772923),
    ]  # fmt: skip
    assert f.pool_bonus(16, 1) == near(0.25)


@pytest.mark.parametrize(
    ("mc", "index", "probes"),
    [
        pytest.param([0.9, 0.8, 0.5, 0.2, 0.1, 0, 0, 0], 5, [3, 5, 4], id="an error in the middle"),
        pytest.param([0, 0, 0, 0], 0, [1, 0], id="the first step is wrong"),
        pytest.param([1, 1, 1, 0.5], 4, [1, 2, 3], id="no step is wrong"),
    ],
)
def test_omegaprm_binary_search(mc: list[float], index: int, probes: list[int]) -> None:
    assert bisected([value > 0 for value in mc]) == (index, probes)


def test_halving_finds_every_first_error_of_every_length_and_within_its_bound() -> None:
    for steps in range(1, 13):
        for first in range(steps + 1):
            fine = [place < first for place in range(steps)]
            found, probes = bisected(fine)
            assert found == first
            assert len(probes) <= math.ceil(math.log2(steps + 1))
            if first < steps:  # the whole answer is known to be wrong
                found, probes = bisected(fine, last_is_bad=True)
                assert found == first
                assert len(probes) <= math.ceil(math.log2(steps))


@pytest.mark.parametrize(("steps", "probes"), [(4, 3), (8, 4), (16, 5), (32, 6)])
def test_the_most_probes_of_a_length(steps: int, probes: int) -> None:
    assert max(len(bisected([p < first for p in range(steps)])[1]) for first in range(steps + 1)) == probes


def test_nothing_is_left_to_probe_where_good_and_bad_meet() -> None:
    assert middle(2, 3) is None
    assert middle(-1, 1) == 0


def test_step_controlled_temperatures() -> None:
    assert schedule(1.1, 0.1, 1.4, 5) == [1.1, 1.2, 1.3, 1.4, 1.4]
    assert schedule(1.0, 0.05, 1.2, 6) == [1.0, 1.05, 1.1, 1.15, 1.2, 1.2]
    assert schedule(1.0, 0.05, 1.3, 10)[-1] == 1.3


def test_a_sequential_test_stops_as_soon_as_the_odds_are_clear() -> None:
    test = Probe(rollouts=32, lot=4, lost=0.05, fine=0.5, bound=3.0)
    assert log_odds(2, 4, 0.05, 0.5) == near(2 * math.log(10) + 2 * math.log(0.5 / 0.95))
    assert test.more(2, 4, 4, 1.0) == 0
    assert test.verdict(2, 4, 1.0) is True
    assert test.more(0, 4, 4, 1.0) == 4
    assert test.more(0, 8, 8, 1.0) == 0
    assert test.verdict(0, 8, 1.0) is False
    assert test.verdict(0, 0, 1.0) is None


def test_a_sequential_test_asks_no_more_than_its_cap() -> None:
    test = Probe(rollouts=10, lot=4, lost=0.2, fine=0.5, bound=50.0)
    assert [test.more(1, asked, asked, 1.0) for asked in (0, 4, 8, 10)] == [4, 4, 2, 0]


def test_any_success_is_enough_or_so_many() -> None:
    assert Probe("any", 8).more(1, 3, 3, 1.0) == 0
    assert Probe("count", 8, least=2).more(1, 3, 3, 1.0) == 5
    assert Probe("count", 8, least=2).verdict(1, 8, 1.0) is False


def test_the_change_point_is_where_one_rate_gives_way_to_a_lower_one() -> None:
    assert change_point([(7, 8), (6, 8), (0, 8), (1, 8)]) == 2
    assert change_point([(0, 8), (0, 8)]) == 2
    assert change_point([(8, 8), (8, 8)]) == 2


def test_a_tree_may_widen_with_its_visits() -> None:
    assert [f.progressive_width(2, visits, 0.5) for visits in (0, 1, 4, 9, 10)] == [2, 2, 4, 6, 7]
    assert f.progressive_width(2, 100, 0.0) == 2
