from __future__ import annotations

import polars as pl
import pytest

from tasks.relabelers.flip_weak import flip_weak

ROWS = pl.DataFrame(
    {
        "pair_id": list("abcd"), "chosen": ["A1", "B1", "C1", "D1"], "rejected": ["A2", "B2", "C2", "D2"],
        "chosen_id": ["a1", "b1", "c1", "d1"], "rejected_id": ["a2", "b2", "c2", "d2"],
        "chosen_score": [1.0, 2.0, 3.0, 4.0], "rejected_score": [0.0, 3.0, 1.0, 4.0], "margin": [1.0, -1.0, 2.0, 0.0],
        "strength": [0.6, -0.6, 0.1, None],
        "strength_std": [0.1, 0.2, 0.3, None], "p_chosen": [0.9, 0.3543, 0.525, None],
    }
)  # fmt: skip


def test_a_negative_strength_turns_the_pair_round_with_every_number() -> None:
    found = flip_weak(ROWS)
    assert found["flipped"].to_list() == [False, True, False, False]
    row = found.row(1, named=True)
    assert (row["chosen"], row["rejected"], row["chosen_id"], row["rejected_id"]) == ("B2", "B1", "b2", "b1")
    assert (row["chosen_score"], row["rejected_score"], row["margin"]) == (3.0, 2.0, 1.0)
    assert (row["strength"], row["strength_std"]) == (0.6, 0.2)
    assert row["p_chosen"] == pytest.approx(0.6457)
    assert found.row(0)[:-1] == ROWS.row(0)


def test_an_unmeasured_pair_is_never_flipped() -> None:
    assert flip_weak(ROWS, below=100.0)["flipped"].to_list() == [True, True, True, False]
    assert flip_weak(ROWS, weakest=1.0)["flipped"].to_list() == [True, True, True, False]


def test_the_weakest_share_is_flipped_instead() -> None:
    assert flip_weak(ROWS, weakest=0.34)["pair_id"].filter(flip_weak(ROWS, weakest=0.34)["flipped"]).to_list() == ["b"]
    assert flip_weak(ROWS, weakest=0.67)["flipped"].to_list() == [False, True, True, False]
    assert not flip_weak(ROWS, weakest=0.2)["flipped"].any()


def test_flipped_twice_is_as_it_was() -> None:
    twice = flip_weak(flip_weak(ROWS, below=10.0), by="strength", below=10.0)
    assert twice.drop("flipped").equals(ROWS.with_columns(p_chosen=1 - (1 - pl.col("p_chosen"))))
    assert not twice["flipped"].any()


def test_a_posterior_below_one_half_flips() -> None:
    assert flip_weak(ROWS, by="p_chosen")["flipped"].to_list() == [False, True, False, False]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no p_chosen"):
        flip_weak(ROWS.drop("p_chosen"), by="p_chosen")
    with pytest.raises(ValueError, match="either below or weakest"):
        flip_weak(ROWS, below=0.1, weakest=0.2)
