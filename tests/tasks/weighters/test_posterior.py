from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from tasks.weighters._pool import ANSWERS, Audited, features, weights
from tasks.weighters.posterior import posterior

JUDGES = ("good", "first", "longer", "random")
NONE: list[float | None] = [None]


def duel(prompt: str, shown: list[str], winner: str | None, judge: str, outcome: str = "valid") -> dict[str, Any]:
    return {"prompt_id": prompt, "judge": judge, "fingerprint": f"f-{judge}", "kind": "pairwise", "subjects": shown,
            "criterion": "overall", "outcome": outcome, "winner": winner}  # fmt: skip


def panel(n: int, seed: int, orders: int = 2) -> tuple[pl.DataFrame, dict[str, str], dict[str, bool]]:
    """Judgments, the better completion of every prompt, and whether the good judge names it."""
    generator, rows, better, right = np.random.default_rng(seed), [], {}, {}
    for i in range(n):
        pair = [f"{i}a", f"{i}b"]
        truth, lie = pair if generator.random() < 0.5 else pair[::-1]
        longer = pair[int(generator.random() < 0.5)]
        better[str(i)], right[str(i)] = truth, bool(generator.random() < 0.85)
        said = truth if right[str(i)] else lie
        shown_orders = (pair, pair[::-1]) if orders == 2 else (pair if generator.random() < 0.5 else pair[::-1],)
        for shown in shown_orders:
            winners = (said, shown[0], longer, pair[int(generator.random() < 0.5)])
            rows += [duel(str(i), shown, winner, judge) for judge, winner in zip(JUDGES, winners, strict=True)]
    return pl.DataFrame(rows), better, right


def audits(judgments: pl.DataFrame, better: dict[str, str]) -> pl.DataFrame:
    """The audit rows of a judged gold set, as far as the posterior reads them."""
    found = []
    for (judge,), part in judgments.group_by("judge"):
        said: dict[str, dict[str, list[float]]] = {item: {"straight": [], "turned": []} for item in better}
        for prompt, shown, winner in part.select("prompt_id", "subjects", "winner").iter_rows():
            side = "straight" if shown[0] == better[prompt] else "turned"
            said[prompt][side].append(1.0 if winner == better[prompt] else -1.0)
        mean = {
            side: [float(np.mean(v[side])) if v[side] else None for v in said.values()]
            for side in ("straight", "turned")
        }
        answers = {"item_id": list(said), **mean, "blind": NONE * len(said), "implied": NONE * len(said)}
        found.append(
            {"fingerprint": f"f-{judge}", "gold_hash": "g", "meta": orjson.dumps({"answers": answers}).decode()}
        )
    return pl.DataFrame(found)


def preferences(better: dict[str, str], turned: bool = False) -> pl.DataFrame:
    sides = ("a", "b") if not turned else ("b", "a")
    return pl.DataFrame(
        [{"pair_id": i, "prompt_id": i, "chosen_id": f"{i}{sides[0]}", "rejected_id": f"{i}{sides[1]}"} for i in better]
    )


@pytest.mark.parametrize("orders", [1, 2])
def test_the_posterior_follows_the_good_judge_and_no_other(orders: int) -> None:
    audited = audits(*panel(300, 1, orders)[:2])
    judgments, better, right = panel(500, 2, orders)
    found = posterior(preferences(better), judgments, audited)
    hits = [
        (chance > 0.5) == (better[pair] == chosen)
        for pair, chosen, chance in found.select("pair_id", "chosen_id", "p_chosen").iter_rows()
    ]
    assert np.mean(hits) == pytest.approx(np.mean(list(right.values())), abs=0.02)
    claimed = found.select(pl.max_horizontal("p_chosen", 1 - pl.col("p_chosen")).mean()).item()
    assert claimed == pytest.approx(0.85, abs=0.04)


def test_swapping_the_pair_gives_the_rest_to_one() -> None:
    judgments, better, _ = panel(60, 3, orders=1)
    audited = audits(judgments, better)
    one = posterior(preferences(better), judgments, audited)["p_chosen"]
    other = posterior(preferences(better, turned=True), judgments.sample(fraction=1, shuffle=True, seed=1), audited)[
        "p_chosen"
    ]
    assert (one + other).to_list() == pytest.approx([1.0] * 60)


def record(said: list[float], items: list[str] | None = None) -> Audited:
    table = np.full((len(said), len(ANSWERS)), np.nan)
    table[:, 2] = said
    return Audited([("g", item) for item in items or [str(i) for i in range(len(said))]], table)


BLIND = np.array([False, False, True, False])


def test_one_judge_gets_the_log_odds_of_its_accuracy() -> None:
    # 800 right of 1000 and a wide enough prior: log(800 / 200), drawn a little towards nought
    found = weights([record([1.0] * 800 + [-1.0] * 200)], np.array([BLIND]), 0.5)
    assert found[0, 0] == pytest.approx(math.log(4), abs=0.02)
    assert found[0, 1:].tolist() == [0, 0]


def test_a_copy_adds_nothing_and_an_independent_judge_its_own_evidence() -> None:
    good = [1.0] * 800 + [-1.0] * 200
    copied = weights([record(good), record(good)], np.array([BLIND, BLIND]), 0.5)
    assert copied[:, 0].sum() == pytest.approx(math.log(4), abs=0.02)
    independent = [1.0, 1.0, 1.0, 1.0, -1.0] * 200
    both = weights([record(good), record(independent)], np.array([BLIND, BLIND]), 0.5)
    assert both[:, 0] == pytest.approx([math.log(4)] * 2, abs=0.05)


def test_judges_without_common_gold_are_discounted_for_the_correlation_assumed() -> None:
    good = [1.0] * 80 + [-1.0] * 20
    apart = [record(good), record(good, [f"other{i}" for i in range(100)])]
    alone = weights(apart[:1], np.array([BLIND]), 0.5)[0, 0]
    assert weights(apart, np.array([BLIND, BLIND]), 0.5)[:, 0] == pytest.approx([alone / 1.5] * 2)
    assert weights(apart, np.array([BLIND, BLIND]), 1.0)[:, 0] == pytest.approx([alone / 2] * 2)


def test_where_one_order_was_judged_the_place_is_a_feature() -> None:
    said = np.array([[1.0, -1.0, np.nan, 0.5]])
    both, first = np.array([True, True, False, True]), np.array([True, False, False, False])
    assert features(said, both).tolist() == [[0.0, 0.0, 0.5]]
    assert features(said, first).tolist() == [[1.0, 1.0, 0.0]]
    assert features(said, ~first & both).tolist() == [[-1.0, -1.0, 0.5]]


def test_what_other_pairs_imply_is_heard_where_it_was_audited() -> None:
    rows = [duel("p", ["a", "t"], "a", "j"), duel("p", ["t", "b"], "t", "j"), duel("p", ["a", "b"], None, "j", "tie")]
    pair = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": ["a"], "rejected_id": ["b"]})
    items = [str(i) for i in range(100)]
    answers = {"item_id": items, "straight": [0.0] * 100, "turned": NONE * 100, "blind": NONE * 100,
               "implied": [2.0] * 90 + [-2.0] * 10}  # fmt: skip
    audited = pl.DataFrame(
        {"fingerprint": ["f-j"], "gold_hash": ["g"], "meta": [orjson.dumps({"answers": answers}).decode()]}
    )
    assert posterior(pair, pl.DataFrame(rows), audited)["p_chosen"][0] == pytest.approx(0.9, abs=0.01)
    assert posterior(pair, pl.DataFrame(rows), audited, indirect=False)["p_chosen"][0] == pytest.approx(0.5, abs=0.01)


def test_an_unaudited_judge_is_refused_unless_taken_for_something() -> None:
    rows = pl.DataFrame([duel("p", ["a", "b"], "a", "j"), duel("p", ["b", "a"], "a", "j")])
    pair = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": ["a"], "rejected_id": ["b"]})
    with pytest.raises(ValueError, match=r"judge 'j' .* has no audit; run `pairwright audit j"):
        posterior(pair, rows)
    # 16 right of 20, and the prior draws towards one half
    assert posterior(pair, rows, unaudited_accuracy=0.8)["p_chosen"][0] == pytest.approx(0.75, abs=0.01)
    with pytest.raises(ValueError, match="prior 0"):
        posterior(pair, rows, prior=0.0)


def test_a_pair_nobody_could_judge_has_no_posterior() -> None:
    rows = pl.DataFrame([duel("p", ["a", "b"], None, "j", "refused")], schema_overrides={"winner": pl.String})
    pair = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": ["a"], "rejected_id": ["b"]})
    assert posterior(pair, rows)["p_chosen"].to_list() == [None]


def test_the_prior_is_where_it_starts() -> None:
    rows = pl.DataFrame([duel("p", ["a", "b"], None, "j", "tie"), duel("p", ["b", "a"], None, "j", "tie")],
                        schema_overrides={"winner": pl.String})  # fmt: skip
    pair = pl.DataFrame({"pair_id": ["x"], "prompt_id": ["p"], "chosen_id": ["a"], "rejected_id": ["b"]})
    assert posterior(pair, rows, unaudited_accuracy=0.9, prior=0.7)["p_chosen"].to_list() == pytest.approx([0.7])


def test_a_gold_set_whose_better_one_stands_first_more_often_teaches_no_love_of_that_place() -> None:
    said = np.full((100, len(ANSWERS)), np.nan)
    right = np.array([1.0] * 8 + [-1.0] * 2)
    said[:90, 0], said[90:, 1] = np.tile(right, 9), right
    gold = Audited([("g", str(i)) for i in range(100)], said)
    found = weights([gold], np.array([[True, False, False, False]]), 0.5)
    assert found[0, 1] == pytest.approx(0, abs=1e-6)
    assert found[0, 0] == pytest.approx(math.log(4), abs=0.15)


def test_a_judge_that_always_names_the_first_weighs_nothing() -> None:
    said = np.full((100, len(ANSWERS)), np.nan)
    said[:50, 0], said[50:, 1] = 1.0, -1.0
    gold = Audited([("g", str(i)) for i in range(100)], said)
    weight = weights([gold], np.array([[True, False, False, False]]), 0.5)[0]
    shown_first = features(np.array([[1.0, np.nan, np.nan, np.nan]]), np.array([True, False, False, False]))
    assert (shown_first @ weight)[0] == pytest.approx(0, abs=1e-6)
