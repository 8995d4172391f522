"""A probability stays a probability in every scorer of comparisons, and panels share the voices of like judges."""

import orjson
import polars as pl
import pytest

from tasks.scorers.bradley_terry import bradley_terry
from tasks.scorers.dawid_skene import dawid_skene
from tasks.scorers.majority import majority
from tasks.scorers.plackett_luce import plackett_luce
from tasks.scorers.preference_table import preference_table
from tasks.scorers.win_probability import win_probability
from tasks.scorers.win_rate import win_rate
from tasks.selectors._duels import table
from tests.support.scored import duels


def sure(p, judge="j", other=None):
    rows = duels([("a", "b", 1.0), ("b", "a", 0.0)], judge=judge)
    probability = pl.Series([p, 1 - p if other is None else other])
    return rows.with_columns(probability=probability, comparison_id=pl.lit("c"), comparison=pl.lit("agreed"))


def score(scorer, rows, **more):
    return dict(scorer(rows, **more).select("completion_id", "score").iter_rows())


@pytest.mark.parametrize("scorer", [win_rate, win_probability, preference_table])
@pytest.mark.parametrize("p", [0.51, 0.9, 1.0])
def test_a_win_rate_is_the_probability(scorer, p):
    assert score(scorer, sure(p)) == pytest.approx({"a": p, "b": 1 - p})


def test_both_orders_are_averaged():
    assert score(win_rate, sure(0.9, other=0.4)) == pytest.approx({"a": 0.75, "b": 0.25})
    assert table(sure(0.9, other=0.4))["won"].to_list() == pytest.approx([0.75])


@pytest.mark.parametrize("scorer", [bradley_terry, plackett_luce, dawid_skene])
def test_strengths_lie_between_those_of_a_tie_and_of_a_win(scorer):
    half, most, whole = (score(scorer, sure(p))["a"] for p in (0.55, 0.9, 1.0))
    assert score(scorer, sure(0.5))["a"] < half < most < whole


def test_a_split_ranking_counts_as_one():
    made = plackett_luce(sure(0.7))
    assert made["judgments"].to_list() == [2, 2]
    assert made["score"].to_list() == pytest.approx(bradley_terry(sure(0.7))["score"].to_list(), abs=1e-6)


def audit(fingerprint, wrong):
    items = [f"{i:02d}" for i in range(60)]
    said = [-1.0 if i in wrong else 1.0 for i in range(60)]
    none = [None] * 60
    answers = {"item_id": items, "straight": none, "turned": none, "blind": said, "implied": none}
    return {"fingerprint": fingerprint, "gold_hash": "g", "meta": orjson.dumps({"answers": answers}).decode()}


def test_three_copies_do_not_outvote_two_independent_judges():
    rows = pl.concat(
        [duels([("a", "b", 0.0)], judge=name) for name in ("x", "y", "z")]
        + [duels([("a", "b", 1.0)], judge=name) for name in ("u", "v")]
    )
    audits = pl.DataFrame([*(audit(n, range(15)) for n in "xyz"), audit("u", range(30, 40)), audit("v", range(45, 55))])
    assert score(majority, rows) == {"a": 0.0, "b": 1.0}
    assert score(majority, rows, audits=audits) == {"a": 1.0, "b": 0.0}
    # the panel is worth fewer judges, so its errors are wider
    copies = pl.concat([duels([("a", "b", 1.0)], judge=name) for name in "xyz"])
    alone, wider = (majority(copies, given)["standard_error"][0] for given in (None, audits))
    assert wider > alone
    assert score(dawid_skene, copies, audits=audits)["a"] < score(dawid_skene, copies)["a"]
