"""What a judge gave is used as it is: probabilities and margins through strength, shares and posterior."""

import numpy as np
import orjson
import polars as pl
import pytest

from tasks.reports.audit import audit, audit_row
from tasks.weighters.posterior import posterior
from tasks.weighters.strength import strength
from tasks.weighters.win_share import win_share
from tests.support.preferences import pairs
from tests.support.scored import duels, judgments

WORDS = ["river", "stone", "cloud", "lamp", "garden", "paper", "metal", "winter", "song", "bridge"]


def rewards(seed, count, steep=1.5, words=WORDS):
    """Gold, and a reward model's judgments: P(first better) = sigmoid(steep * margin / 10)."""
    toss = np.random.default_rng(seed)
    margin = toss.normal(0.0, 10.0, count)
    first = toss.random(count) < 1 / (1 + np.exp(-steep * margin / 10))
    texts = [" ".join(toss.choice(words, 8)) for _ in range(3 * count)]
    gold = pl.DataFrame(
        {"item_id": [f"{seed}-{i}" for i in range(count)], "label": np.where(first, "first", "second"),
         "prompt": texts[:count], "first": texts[count : 2 * count], "second": texts[2 * count :]}
    )  # fmt: skip
    said = judgments([
        {"kind": "pointwise", "prompt_id": f"{seed}-{i}", "subjects": [f"{seed}-{i}{side}"], "score": sign * value / 2}
        for i, value in enumerate(margin) for side, sign in (("a", 1), ("b", -1))
    ])  # fmt: skip
    return gold, said, margin


def audited(gold, margin, **more):
    verdicts = gold.select(
        "item_id", judge=pl.lit("j"), outcome=pl.lit("valid"), margin=pl.Series(margin),
        verdict=pl.Series(np.where(margin > 0, "first", "second")),
    )  # fmt: skip
    row = audit_row(audit(gold, verdicts, judge="j"), fingerprint="f", gold="g", gold_hash="g")
    return pl.DataFrame([row | more])


def hand(gold, texts=True):
    item = pl.col("item_id")
    found = gold.select(
        pair_id=item, prompt_id=item, chosen_id=item + "a", rejected_id=item + "b", prompt="prompt", chosen="first",
        rejected="second",
    )  # fmt: skip
    return found if texts else found.drop("prompt", "chosen", "rejected")


def test_claims_rise_with_the_margin_and_come_true():
    gold, _, margin = rewards(1, 400)
    other, said, there = rewards(2, 1500)
    made = posterior(hand(other), said, audited(gold, margin))
    p = made["p_chosen"].to_numpy()
    order = np.argsort(made.join(pl.DataFrame({"pair_id": other["item_id"], "m": there}), on="pair_id")["m"].to_numpy())
    assert (np.diff(p[order]) > 0).all()
    assert "meta" not in made.columns
    truth = (made.join(other, left_on="pair_id", right_on="item_id")["label"] == "first").to_numpy()
    claimed, right = np.maximum(p, 1 - p), np.where(p >= 0.5, truth, ~truth)
    for low, high in ((0.5, 0.65), (0.65, 0.8), (0.8, 1.0)):
        inside = (claimed >= low) & (claimed < high)
        assert claimed[inside].mean() == pytest.approx(right[inside].mean(), abs=0.06)


def test_an_audit_that_proves_nothing_keeps_the_order():
    gold, said, margin = rewards(3, 60, steep=0.0)
    p = posterior(hand(gold), said, audited(gold, margin))["p_chosen"].to_numpy()
    assert (np.diff(p[np.argsort(margin)]) > 0).all()


def test_a_judge_proven_to_prefer_the_worse_one_is_turned_round():
    gold, said, margin = rewards(4, 300, steep=-2.0)
    p = posterior(hand(gold), said, audited(gold, margin))["p_chosen"].to_numpy()
    assert p[margin.argmax()] < 0.4 < 0.6 < p[margin.argmin()]


def test_ties_of_people_pull_the_claims_towards_one_half():
    gold, said, margin = rewards(5, 300, steep=3.0)
    split = gold.with_columns(label=pl.when(pl.int_range(300) % 2 == 0).then(pl.lit("tie")).otherwise("label"))
    sure, unsure = (
        posterior(hand(gold), said, audited(each, margin)).select((pl.col("p_chosen") - 0.5).abs().mean()).item()
        for each in (gold, split)
    )
    assert unsure == pytest.approx(sure / 2, rel=0.15)


def test_an_audit_stored_before_margins_gives_two_claims_and_says_so():
    gold, said, margin = rewards(6, 200)
    old = audited(gold, margin)
    meta = orjson.loads(old["meta"][0])
    del meta["evidence"]
    made = posterior(hand(gold), said, old.with_columns(meta=pl.lit(orjson.dumps(meta).decode())))
    assert made["p_chosen"].round(9).n_unique() == 2
    assert "audited without margins" in made["meta"][0]


def test_pairs_unlike_the_audited_ones_are_hardly_claimed_and_named():
    gold, _, margin = rewards(7, 200, steep=4.0)
    other, said, _ = rewards(8, 200, words=["x = 1;", "return", "def f():", "0.25", "[i]", "!="])
    made = posterior(hand(other), said, audited(gold, margin))
    assert made.select((pl.col("p_chosen") - 0.5).abs().max()).item() < 0.051
    assert "texts" in orjson.loads(made["meta"][0])["unlike"]
    kept = posterior(hand(other), said, audited(gold, margin), widened=1.0)
    assert kept.select((pl.col("p_chosen") - 0.5).abs().max()).item() > 0.3
    with pytest.raises(ValueError, match="widened 2"):
        posterior(hand(other), said, audited(gold, margin), widened=2.0)


def test_without_texts_nothing_is_said_of_them():
    gold, _, margin = rewards(7, 200)
    other, said, _ = rewards(8, 200, words=["x = 1;", "return"])
    assert "meta" not in posterior(hand(other, texts=False), said, audited(gold, margin)).columns


def test_a_rating_nobody_audited_is_graded_too():
    said = judgments([
        {"kind": "pointwise", "prompt_id": p, "subjects": [f"{p}{side}"], "score": value}
        for p, values in (("s", (1.0, 0.0)), ("t", (9.0, 0.0))) for side, value in zip("ab", values, strict=True)
    ])  # fmt: skip
    rows = pl.DataFrame({"pair_id": ["s", "t"], "prompt_id": ["s", "t"], "chosen_id": ["sa", "ta"],
                         "rejected_id": ["sb", "tb"]})  # fmt: skip
    small, large = posterior(rows, said, unaudited_accuracy=0.8)["p_chosen"]
    assert 0.5 < small < large < 0.95


def sure(first, second=None):
    """Two orders of c0 against r0 with the probability that the first shown is better."""
    shown = duels([("c0", "r0", 1.0), ("r0", "c0", 0.0)])
    return shown.with_columns(probability=pl.Series([first, 1 - first if second is None else second]))


@pytest.mark.parametrize(("p", "share"), [(0.51, 0.51), (0.99, 0.99), (0.75, 0.75)])
def test_a_probability_stays_one_in_shares_and_strengths(p, share):
    assert win_share(pairs([{}]), sure(p))["p_chosen"].to_list() == pytest.approx([share])
    assert strength(pairs([{}]), sure(p))["strength"].to_list() == pytest.approx([2 * share - 1])


def test_both_orders_count_with_their_own_probability():
    # 0.9 for the chosen shown first, 0.6 for the rejected shown first: (0.9 + 0.4) / 2
    assert win_share(pairs([{}]), sure(0.9, 0.6))["p_chosen"].to_list() == pytest.approx([0.65])


def test_ratings_are_graded_on_request():
    said = judgments([{"kind": "pointwise", "subjects": ["c0"], "score": 2.0},
                      {"kind": "pointwise", "subjects": ["r0"], "score": 1.0}])  # fmt: skip
    assert win_share(pairs([{}]), said)["p_chosen"].to_list() == [1.0]
    assert win_share(pairs([{}]), said, temperature=1.0)["p_chosen"].to_list() == pytest.approx([0.731059])
    with pytest.raises(ValueError, match="temperature is 0"):
        win_share(pairs([{}]), said, temperature=0.0)
