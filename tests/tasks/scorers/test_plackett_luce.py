from __future__ import annotations

import math
from typing import Any

import orjson
import polars as pl
import pytest

from tasks.scorers.bradley_terry import bradley_terry
from tasks.scorers.plackett_luce import plackett_luce


def ranking(places: list[Any], judge: str = "j", outcome: str = "valid") -> dict[str, Any]:
    subjects = [name for place in places for name in (place if isinstance(place, list) else [place])]
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "listwise", "subjects": sorted(subjects),
            "criterion": "overall", "outcome": outcome, "winner": None,
            "meta": orjson.dumps({"ranking": places}).decode()}  # fmt: skip


def duel(first: str, second: str, winner: str | None, judge: str = "j") -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pairwise", "subjects": [first, second],
            "criterion": "overall", "outcome": "valid" if winner else "tie", "winner": winner,
            "meta": None}  # fmt: skip


def scores(rows: list[dict[str, Any]], **params: Any) -> list[float]:
    return plackett_luce(pl.DataFrame(rows, infer_schema_length=None), **params)["score"].to_list()


def test_the_first_choice_decides_among_three() -> None:
    # a first of three in 2 of 4, b and c in 1 each, the rest balanced: weights 2 : 1 : 1
    rows = [ranking(list(order), f"j{i}") for i, order in enumerate(("abc", "acb", "bac", "cab"))]
    a, b, c = scores(rows, prior_std=1000.0)
    assert b == pytest.approx(c)
    # a is chosen first in 2 of 4, and once out of {a, c} and once out of {a, b} after another came first: with r the
    # weight of a over b, wins 2 + 2 = 4 r / (r + 2) + 2 r / (r + 1)
    r = math.exp(a - b)
    assert 4 * r / (r + 2) + 2 * r / (r + 1) == pytest.approx(4, abs=1e-3)


def test_pairs_and_ties_are_bradley_terry() -> None:
    rows = [duel("a", "b", "a", "j1"), duel("b", "c", None, "j2"), duel("a", "c", "c", "j3"), duel("a", "c", "a", "j4")]
    frame = pl.DataFrame(rows)
    assert plackett_luce(frame)["score"].to_list() == pytest.approx(bradley_terry(frame)["score"].to_list(), abs=1e-8)
    assert plackett_luce(frame)["standard_error"].to_list() == pytest.approx(
        bradley_terry(frame)["standard_error"].to_list(), abs=1e-8
    )


def test_a_judges_orders_of_one_list_are_one_voice() -> None:
    once = [ranking(["a", "b", "c"], "j1"), ranking(["c", "b", "a"], "j2")]
    assert scores([*once, once[0], once[0]]) == pytest.approx(scores(once))


def test_tied_places_score_alike_and_a_list_without_order_says_nothing() -> None:
    a, b, c = scores([ranking(["a", ["b", "c"]])])
    assert a > b == pytest.approx(c)
    assert scores([ranking([["a", "b", "c"]])]) == pytest.approx([0, 0, 0])


def test_a_failed_ranking_is_not_read() -> None:
    assert scores([ranking(["a", "b"], outcome="unparsable")]) == []
    with pytest.raises(ValueError, match="prior_std"):
        scores([ranking(["a", "b"])], prior_std=-1.0)
