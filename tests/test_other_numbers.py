"""The formulas of published constructions on numbers that stand in no paper, against plain Python written here."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import fmean, pstdev, stdev, variance

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.filters.weak_pairs import weak_pairs
from tasks.relabelers.soft_by_margin import soft_by_margin
from tasks.reports.measures import best_of_n_kl, k3, quality
from tasks.scorers.against_baseline import against_baseline
from tasks.scorers.length_charged import length_charged
from tasks.scorers.most_agreeing import most_agreeing
from tasks.scorers.own_likelihood import own_likelihood
from tasks.scorers.uncertainty_weighted import uncertainty_weighted
from tasks.scorers.weighted_sum import weighted_sum
from tasks.scorers.win_probability import win_probability
from tasks.scorers.worst_case import worst_case
from tasks.selectors.advantages import advantages
from tasks.selectors.all_pairs import all_pairs
from tasks.selectors.anchored import anchored
from tasks.selectors.attributes import attributes
from tasks.selectors.directed import directed
from tasks.selectors.labelled import class_weights
from tasks.selectors.over_bar import over_bar
from tasks.selectors.ranked_lists import ranked_lists
from tasks.selectors.weighted_examples import weighted_examples
from tasks.weighters.dynamic_beta import dynamic_beta
from tasks.weighters.strength import strength
from tasks.weighters.weight_by_strength import weight_by_strength
from tasks.weighters.win_share import win_share
from tests.support.nodes import meta
from tests.support.preferences import pairs
from tests.support.scored import completions, duels, graded, one, places, scored

some = settings(max_examples=25, deadline=None)
NUMBERS = st.integers(-80, 80).map(lambda n: n / 16)
SCORES = st.lists(NUMBERS, min_size=2, max_size=9)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_id(frame: pl.DataFrame, column: str = "score") -> list[float]:
    return frame.sort("completion_id")[column].to_list()


@some
@given(SCORES, st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([0.55, 0.7, 0.85, 0.95]))
def test_rs_dpo_keeps_the_pairs_above_the_probability(scores, tau, eta):
    wanted = {
        (i, j) for i, a in enumerate(scores) for j, b in enumerate(scores) if i != j and sigmoid((a - b) / tau) > eta
    }
    assert set(places(all_pairs(*one(scores), min_probability=eta, temperature=tau))) == wanted


@some
@given(st.lists(NUMBERS, min_size=3, max_size=12, unique=True), st.sampled_from([-2.0, -1.0, -0.5]))
def test_the_sweet_spot_is_the_sample_nearest_to_its_anchor(scores, k):
    anchor = fmean(scores) + k * pstdev(scores)
    found = places(anchored(*one(scores), rejected=k))
    nearest = min(abs(score - anchor) for score in scores)
    for best, low in found:
        assert scores[best] == max(scores)
        assert abs(scores[low] - anchor) == pytest.approx(nearest)


@some
@given(SCORES)
def test_sppo_and_lipo_average_the_probability_of_winning(scores):
    rows = graded({"j": {"c": scores}})
    n = len(scores)
    table = [[sigmoid(a - b) for b in scores] for a in scores]
    assert by_id(win_probability(rows, itself=True)) == pytest.approx([fmean(row) for row in table])
    others = [(sum(row) - row[i]) / (n - 1) for i, row in enumerate(table)]
    assert by_id(win_probability(rows)) == pytest.approx(others)


@some
@given(
    st.integers(1, 12).flatmap(lambda h: st.tuples(st.just(h), st.integers(0, h))), st.sampled_from([0.02, 0.05, 0.1])
)
def test_irepo_takes_the_logit_of_the_clipped_share(votes, clip):
    h, wins = votes
    table = pl.concat([duels([("c0", "r0", float(i < wins))], judge=f"j{i}") for i in range(h)])
    row = win_share(pairs([{}]), table, clip=clip).row(0, named=True)
    held = min(max(wins / h, clip), 1 - clip)
    assert row["p_chosen"] == pytest.approx(wins / h)
    assert row["strength"] == pytest.approx(math.log(held / (1 - held)), abs=1e-9)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_kto_weights_put_the_classes_within_the_papers_range(good, bad):
    up, down = class_weights(good, bad)
    assert 1 - 1e-9 <= (good * up) / (bad * down) <= 4 / 3 + 1e-9
    assert up == 1.0


@some
@given(NUMBERS, NUMBERS, st.sampled_from([0.5, 1.0, 2.0]))
def test_mmpo_turns_a_pair_round_whose_probability_is_below_a_half(high, low, beta):
    rows = pairs([{"chosen_score": high, "rejected_score": low, "margin": high - low}])
    row = soft_by_margin(rows, scale=beta).row(0, named=True)
    p = sigmoid(beta * (high - low))
    assert row["p_chosen"] == pytest.approx(max(p, 1 - p))
    assert row["chosen"][0]["content"] == ("text r0" if p < 0.5 else "text c0")


@some
@given(st.lists(NUMBERS, min_size=2, max_size=7), st.sampled_from([0.1, 0.5, 2.0]))
def test_an_ensemble_is_its_mean_less_its_doubt_or_its_lowest(scores, price):
    rows = graded({f"rm{i}": {"c": [score]} for i, score in enumerate(scores)})
    mean = fmean(scores)
    assert by_id(worst_case(rows)) == [min(scores)]
    assert by_id(uncertainty_weighted(rows, coefficient=price)) == pytest.approx([mean - price * pstdev(scores) ** 2])
    sample = uncertainty_weighted(rows, coefficient=price, variance="sample")
    assert by_id(sample) == pytest.approx([mean - price * variance(scores)])


@some
@given(st.lists(NUMBERS, min_size=2, max_size=9, unique=True), st.booleans())
def test_ric_writes_z_scores_to_one_decimal(scores, sample):
    sd = stdev(scores) if sample else pstdev(scores)
    rows = attributes(*one(scores), criteria=["c"], standardise=True, sample_sd=sample, highest=None)
    found = [note["attributes"]["c"] for note in meta(rows.sort("completion_id"))]
    for z, score in zip(found, scores, strict=True):
        assert abs(z - (score - fmean(scores)) / sd) <= 0.05 + 1e-9
        assert round(z, 1) == z


@some
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8), st.integers(0, 99))
def test_dpa_keeps_the_sample_furthest_in_its_direction(rewards, seed):
    tables = scored({"a": [a for a, _ in rewards], "b": [b for _, b in rewards]})
    (row,) = directed(*tables, criteria=("a", "b"), seed=seed).to_dicts()
    angle = math.radians(orjson.loads(row["meta"])["angle"])
    along = [a * math.cos(angle) + b * math.sin(angle) for a, b in rewards]
    assert row["reward"] == pytest.approx(max(along))
    assert along[int(row["completion_id"])] == pytest.approx(max(along))


@some
@given(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=5), st.sampled_from([0.5, 1.0, 2.0]))
def test_par_is_the_mean_probability_of_beating_a_reference(reward, references, slope):
    rows = completions(
        [{"completion_id": f"{i:03d}", "policy": "ref" if i else "own"} for i in range(len(references) + 1)]
    )
    rated = graded({"j": {"overall": [reward, *references]}})
    found = by_id(against_baseline(rated, rows, baseline="ref", slope=slope))[0]
    assert found == pytest.approx(fmean([sigmoid(slope * (reward - each)) for each in references]))


@some
@given(SCORES)
def test_rloo_and_grpo_advantages(scores):
    def found(kind):
        rows = advantages(*one(scores), baseline=kind, keep_constant=True).sort("completion_id")
        return [note["advantage"] for note in meta(rows)]

    others = [score - (sum(scores) - score) / (len(scores) - 1) for score in scores]
    sd = pstdev(scores)
    assert found("others") == pytest.approx(others, abs=1e-9)
    assert found("standardised") == pytest.approx([(s - fmean(scores)) / sd if sd else 0.0 for s in scores], abs=1e-9)


@some
@given(st.lists(NUMBERS, min_size=2, max_size=8))
def test_the_strength_of_a_pair_is_the_mean_and_deviation_of_its_margins(margins):
    rows = graded({f"rm{i}": {"c": [margin, 0.0]} for i, margin in enumerate(margins)})
    named = pairs([{"chosen_id": "000", "rejected_id": "001"}])
    row = strength(named, rows).row(0, named=True)
    assert row["strength"] == pytest.approx(fmean(margins))
    assert row["strength_std"] == pytest.approx(pstdev(margins), abs=1e-9)


@some
@given(st.lists(st.integers(-3, 3), min_size=3, max_size=6))
def test_helpsteer2_averages_the_three_that_differ_least(ratings):
    rows = graded({f"a{i}": {"c": [float(rating)]} for i, rating in enumerate(ratings)})
    least = min(max(three) - min(three) for three in combinations(ratings, 3))
    means = [fmean(three) for three in combinations(ratings, 3) if max(three) - min(three) == least]
    (found,) = by_id(most_agreeing(rows))
    assert min(means) - 1e-9 <= found <= max(means) + 1e-9  # of equally narrow threes it favours none


@some
@given(st.lists(NUMBERS, min_size=2, max_size=6, unique=True), st.sampled_from([0.3, 1.0, 4.0]))
def test_infonca_and_brain_weigh_by_the_softmax(scores, alpha):
    top = max(scores)
    share = [math.exp((score - top) / alpha) for score in scores]
    wanted = [each / sum(share) for each in share]
    (row,) = ranked_lists(*one(scores), softmax=alpha).to_dicts()
    assert row["rewards"] == pytest.approx(sorted(wanted, reverse=True))
    assert by_id(weighted_examples(*one(scores), temperature=alpha), "weight") == pytest.approx(wanted)


@some
@given(st.lists(st.floats(0, 6), min_size=1, max_size=5))
def test_ctrl_u_weighs_by_the_exponential_of_the_doubt(doubts):
    rows = weight_by_strength(pairs([{"strength_std": u} for u in doubts]), by="strength_std")
    assert rows["weight"].to_list() == pytest.approx([math.exp(-u) for u in doubts])


@some
@given(st.lists(NUMBERS, min_size=4, max_size=4), st.lists(NUMBERS, min_size=4, max_size=4))
def test_helpsteer2s_reward_is_a_weighted_sum(ratings, weights):
    names = [f"a{i}" for i in range(4)]
    rows = graded({"j": {name: [rating] for name, rating in zip(names, ratings, strict=True)}})
    made = weighted_sum(rows, weights=dict(zip(names, weights, strict=True)))
    found = by_id(made.filter(pl.col("criterion") == "overall"))
    assert found == pytest.approx([sum(r * w for r, w in zip(ratings, weights, strict=True))], abs=1e-9)


@some
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), min_size=1, max_size=5), st.integers(1, 2000))
def test_l1_charges_for_the_distance_from_the_budget(answers, target):
    rows = completions(
        [{"completion_id": f"{i:03d}", "completion_tokens": length} for i, (_, length) in enumerate(answers)]
    )
    rated = graded({"j": {"correct": [float(right) for right, _ in answers]}})
    found = by_id(length_charged(rated, rows, target=target, price=0.0003))
    assert found == pytest.approx([right - 0.0003 * abs(length - target) for right, length in answers])


@some
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=7))
def test_dno_takes_good_answers_over_clearly_worse_ones(answers):
    policies = ["teacher" if own else "student" for _, own in answers]
    tables = one([float(score) for score, _ in answers], policy=policies)
    found = set(places(over_bar(*tables, teacher="teacher")))
    for i, (high, teacher) in enumerate(answers):
        for j, (low, other) in enumerate(answers):
            if not teacher and not other and high >= 5 and high - low >= 1:
                assert (i, j) in found
            if teacher and not other and high >= 5 and high - low >= 2:
                assert (i, j) in found
            assert high >= 4 or (i, j) not in found
            assert high > low or (i, j) not in found


@some
@given(st.lists(NUMBERS.filter(lambda n: n >= 0), min_size=2, max_size=6))
def test_mm_rlhfs_beta_grows_with_the_margin_and_stays_bounded(margins):
    found = meta(dynamic_beta(pairs([{"margin": margin} for margin in margins])))
    wanted = [0.1 * (1 + 0.5 * (1 - math.exp(-0.5 * margin))) for margin in margins]
    assert [note["beta"] for note in found] == pytest.approx(wanted)
    assert all(0.1 <= note["beta"] < 0.15 + 1e-12 for note in found)


@some
@given(st.lists(st.integers(-50, 50).map(lambda n: n / 10), min_size=10, max_size=10, unique=True))
def test_sera_keeps_the_widest_seven_tenths(margins):
    rows = pairs([{"margin": margin} for margin in margins])
    gone = {int(name) for name in weak_pairs(rows, by="margin", weakest=0.3)["row_id"]}
    assert gone == set(sorted(range(10), key=margins.__getitem__)[:3])


def test_sera_on_the_published_margins():
    margins = [0.9, 0.1, -0.4, 0.5, 0.3, 0.7, -0.1, 0.2, 0.05, 0.6]
    gone = weak_pairs(pairs([{"margin": margin} for margin in margins]), by="margin", weakest=0.3)["row_id"].to_list()
    assert gone == ["2", "6", "8"]


@some
@given(st.lists(st.tuples(st.floats(-200, -0.1), st.integers(1, 90)), min_size=1, max_size=5))
def test_a_likelihood_is_a_mean_over_tokens(answers):
    rows = completions([
        {"completion_id": f"{i:03d}", "logprob": logp, "completion_tokens": n} for i, (logp, n) in enumerate(answers)
    ])  # fmt: skip
    assert by_id(own_likelihood(rows)) == pytest.approx([logp / n for logp, n in answers])


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9), st.integers(1, 500))
def test_measures_of_distance_are_never_negative(gaps, n):
    assert k3(pl.Series(gaps).to_numpy()) >= -1e-12
    assert best_of_n_kl(n) == pytest.approx(math.log(n) - (n - 1) / n)
    assert quality(60.0, 10.0, 110.0) == 0.5
