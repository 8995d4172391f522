from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scorers._cycles import cycle_report
from tasks.scorers.preference_table import preference_table


def duel(winner: str, loser: str, judge: str = "j", tie: bool = False) -> dict[str, Any]:
    return {"prompt_id": "p", "judge": judge, "fingerprint": judge, "kind": "pairwise", "subjects": [winner, loser],
            "criterion": "overall", "outcome": "tie" if tie else "valid",
            "winner": None if tie else winner}  # fmt: skip


CYCLE = [duel("a", "b"), duel("b", "c"), duel("c", "a")]


def scores(rows: list[dict[str, Any]], **params: Any) -> dict[str, float]:
    return dict(preference_table(pl.DataFrame(rows), **params).select("completion_id", "score").iter_rows())


def test_a_cycle_is_held_and_reported() -> None:
    assert scores(CYCLE) == {"a": 0.5, "b": 0.5, "c": 0.5}
    report = cycle_report(pl.DataFrame(CYCLE)).row(0, named=True)
    assert (report["triads"], report["cycles"], report["transitivity"], report["knot"]) == (1, 1, 0.0, 3)
    assert report["condorcet"] is None
    assert report["example"] == ["a", "b", "c"]


def test_an_order_has_no_cycle_and_a_condorcet_winner() -> None:
    rows = [duel("a", "b"), duel("a", "c"), duel("b", "c")]
    assert scores(rows) == {"a": 1.0, "b": 0.5, "c": 0.0}
    report = cycle_report(pl.DataFrame(rows)).row(0, named=True)
    assert (report["cycles"], report["transitivity"], report["knot"], report["condorcet"]) == (0, 1.0, 1, "a")
    assert report["example"] == []


def test_a_cycle_of_four_without_a_triad_is_found() -> None:
    report = cycle_report(pl.DataFrame([duel("a", "b"), duel("b", "c"), duel("c", "d"), duel("d", "a")])).row(
        0, named=True
    )
    assert (report["triads"], report["cycles"], report["transitivity"], report["knot"]) == (0, 0, None, 4)
    assert report["example"] == ["a", "b", "c", "d"]


def test_outside_the_best_cycle_the_minimax_score_is_below_one_half() -> None:
    rows = [*CYCLE, duel("a", "d"), duel("b", "d"), duel("c", "d")]
    found = scores(rows, against="minimax")
    assert {name: round(score, 6) for name, score in found.items()} == {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.0}


def test_the_majority_score_counts_opponents_beaten() -> None:
    rows = [duel("a", "b", "j1"), duel("a", "b", "j2"), duel("b", "a", "j3"), duel("a", "c", tie=True)]
    assert scores(rows, against="majority") == {"a": 0.75, "b": 0.0, "c": 0.5}
    assert scores(rows)["a"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_nothing_but_failures_is_an_empty_table_and_report() -> None:
    failed = [{**row, "outcome": "error", "winner": None} for row in CYCLE]
    assert preference_table(pl.DataFrame(failed)).height == 0
    assert cycle_report(pl.DataFrame(failed)).height == 0


VOTES = st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.sampled_from("jkl"), st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.lists(VOTES, min_size=1, max_size=25), st.randoms())
def test_row_order_does_not_matter_and_no_row_beats_the_minimax_mixture(
    found: list[tuple[str, str, str, bool]], random: Any
) -> None:
    rows = [duel(one, other, judge, tie) for one, other, judge, tie in found if one != other]
    if not rows:
        return
    shuffled = random.sample(rows, len(rows))
    assert scores(rows) == scores(shuffled)
    assert max(scores(rows, against="minimax").values()) <= 0.5 + 1e-9
