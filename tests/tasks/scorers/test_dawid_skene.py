from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from tasks.scorers._em import Votes, fit
from tasks.scorers.dawid_skene import dawid_skene
from tasks.scorers.majority import majority

JUDGES = ("good", "first", "longer", "random")


def panel(n: int, seed: int) -> tuple[pl.DataFrame, dict[str, str]]:
    """A good judge (85 %), one always for the first shown, one for the longer, one random, in both orders."""
    generator, rows, better = np.random.default_rng(seed), [], {}
    for i in range(n):
        pair = [f"{i}a", f"{i}b"]
        truth, lie = pair if generator.random() < 0.5 else pair[::-1]
        better[str(i)] = truth
        longer = pair[int(generator.random() < 0.5)]
        said = truth if generator.random() < 0.85 else lie
        for shown in (pair, pair[::-1]):
            winners = (said, shown[0], longer, pair[int(generator.random() < 0.5)])
            rows += [
                {"prompt_id": str(i), "judge": judge, "fingerprint": judge, "kind": "pairwise", "subjects": shown,
                 "criterion": "overall", "outcome": "valid", "winner": winner}
                for judge, winner in zip(JUDGES, winners, strict=True)
            ]  # fmt: skip
    return pl.DataFrame(rows), better


def audits(tables: dict[str, list[list[float]]]) -> pl.DataFrame:
    places = ("first", "second", "tie")
    return pl.DataFrame(
        [
            {"fingerprint": name, "gold_hash": "g", "meta": orjson.dumps(
                {"reliability": {truth: dict(zip(places, counts, strict=True))
                                 for truth, counts in zip(places, table, strict=False)}}).decode()}
            for name, table in tables.items()
        ]
    )  # fmt: skip


AUDITS = audits(
    {
        "good": [[170, 30, 0], [30, 170, 0]], "first": [[200, 0, 0], [200, 0, 0]],
        "longer": [[100, 100, 0], [100, 100, 0]], "random": [[100, 100, 0], [100, 100, 0]],
    }
)  # fmt: skip


def accuracy(scores: pl.DataFrame, better: dict[str, str]) -> float:
    hits = 0.0
    for (prompt,), part in scores.group_by("prompt_id"):
        best = part.filter(pl.col("score") == pl.col("score").max())["completion_id"].to_list()
        hits += (better[str(prompt)] in best) / len(best)
    return hits / len(better)


def test_an_audited_panel_gives_the_good_judges_labels_where_the_majority_does_not() -> None:
    judgments, better = panel(400, 3)
    own = accuracy(majority(judgments.filter(pl.col("judge") == "good")), better)
    assert own == pytest.approx(0.85, abs=0.04)
    assert accuracy(dawid_skene(judgments, AUDITS), better) == pytest.approx(own, abs=0.02)
    assert accuracy(majority(judgments), better) < own - 0.05


def test_three_fair_judges_are_told_apart_without_audits() -> None:
    generator, rows, better = np.random.default_rng(1), [], {}
    for i in range(400):
        better[str(i)] = f"{i}a"
        for judge, skill in (("best", 0.95), ("fair", 0.75), ("poor", 0.6)):
            winner = f"{i}a" if generator.random() < skill else f"{i}b"
            rows.append({"prompt_id": str(i), "judge": judge, "fingerprint": judge, "kind": "pairwise",
                         "subjects": [f"{i}a", f"{i}b"] if i % 2 else [f"{i}b", f"{i}a"], "criterion": "overall",
                         "outcome": "valid", "winner": winner})  # fmt: skip
    judgments = pl.DataFrame(rows)
    assert accuracy(dawid_skene(judgments), better) > accuracy(majority(judgments), better) + 0.02


def test_a_step_of_the_algorithm_agrees_with_the_hand() -> None:
    # Two items, three voters, answers 0/1. Item 0: 0, 0, 1; item 1: 1, 1, 1. Fixed tables: right with 0.8, 0.8, 0.6.
    votes = Votes(
        np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2]), np.array([0, 0, 1, 1, 1, 1]),
        np.tile(np.array([0, 1]), (6, 1)),
    )  # fmt: skip
    tables = np.array([[[s, 1 - s], [1 - s, s]] for s in (0.8, 0.8, 0.6)])
    found = fit(votes, tables * 1e9, even=True, start=tables)
    # item 0: .8 * .8 * .4 = .256 against .2 * .2 * .6 = .024; item 1: .2 * .2 * .4 = .016 against .8 * .8 * .6 = .384
    assert found.posterior[0] == pytest.approx([0.256 / 0.28, 0.024 / 0.28], abs=1e-6)
    assert found.posterior[1] == pytest.approx([0.016 / 0.4, 0.384 / 0.4], abs=1e-6)


def test_a_judge_asked_twice_counts_once() -> None:
    votes = Votes(np.array([0, 0, 0]), np.array([0, 0, 1]), np.array([0, 0, 1]), np.tile(np.array([0, 1]), (3, 1)))
    tables = np.array([[[0.8, 0.2], [0.2, 0.8]], [[0.8, 0.2], [0.2, 0.8]]])
    assert fit(votes, tables * 1e9, even=True, start=tables).posterior[0] == pytest.approx([0.5, 0.5])


def test_ratings_are_classes_and_a_careless_judge_is_outvoted() -> None:
    rows = [
        {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pointwise", "subjects": [f"c{i}"],
         "criterion": "overall", "outcome": "valid", "score": float(i % 2 if judge != "careless" else 0)}
        for i in range(20) for judge in ("j1", "j2", "careless")
    ]  # fmt: skip
    found = dawid_skene(pl.DataFrame(rows))
    odd = found.filter(pl.col("completion_id").str.slice(1).cast(pl.Int64) % 2 == 1)
    assert odd["score"].min() > 0.95  # type: ignore[operator]
    assert found["judgments"].unique().to_list() == [3]


def test_too_many_levels_are_refused() -> None:
    rows = [
        {"prompt_id": "p", "judge": "j", "fingerprint": "j", "kind": "pointwise", "subjects": [f"c{i}"],
         "criterion": "overall", "outcome": "valid", "score": i / 7}
        for i in range(13)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="13 distinct ratings"):
        dawid_skene(pl.DataFrame(rows))


def test_failures_are_no_answers() -> None:
    row: dict[str, Any] = {"prompt_id": "p", "judge": "j", "fingerprint": "j", "kind": "pairwise",
                           "subjects": ["a", "b"], "criterion": "overall", "outcome": "error",
                           "winner": None}  # fmt: skip
    assert dawid_skene(pl.DataFrame([row]), audits({})).height == 0


def test_of_two_audits_on_one_gold_set_the_later_counts() -> None:
    old = audits({"good": [[30, 170, 0], [170, 30, 0]]}).with_columns(created_at=pl.lit(1))
    new = audits({"good": [[170, 30, 0], [30, 170, 0]]}).with_columns(created_at=pl.lit(2))
    judgments, better = panel(60, 5)
    own = accuracy(majority(judgments.filter(pl.col("judge") == "good")), better)
    assert accuracy(dawid_skene(judgments, pl.concat([new, old])), better) == pytest.approx(own, abs=0.02)
