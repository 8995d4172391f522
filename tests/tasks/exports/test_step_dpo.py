"""Step pairs in Step-DPO's columns."""

from __future__ import annotations

import pytest

from schemas.messages import to_rows
from tasks.exports.step_dpo import step_dpo
from tests.support.stepdpo import pairs


def test_the_eight_columns_with_the_heading_in_what_both_share() -> None:
    first = step_dpo(pairs(), name="mine", answer="13").row(0, named=True)
    assert first == {
        "dataset": "mine", "prompt": "3 * 4 + 1?", "initial_reason_steps": "Step 1: 3 * 4 = 12\nStep 2:",
        "chosen": " 12 + 1 = 13\n", "rejected": " 12 + 1 = 14\n", "answer": "13",
        "full_chosen": "Step 1: 3 * 4 = 12\nStep 2: 12 + 1 = 13\n",
        "full_rejected": "Step 1: 3 * 4 = 12\nStep 2: 12 + 1 = 14\n",
    }  # fmt: skip


def test_sides_that_begin_differently_share_no_heading() -> None:
    second, third = step_dpo(pairs()).rows(named=True)[1:]
    assert (second["initial_reason_steps"], second["chosen"]) == ("Step 1: 3 * 4 = 12\n", "Answer: 13")
    assert (third["initial_reason_steps"], third["rejected"]) == ("Step 1:", " 4 + 1 = 5\n")


def test_beginning_and_either_side_join_to_the_whole() -> None:
    for row in step_dpo(pairs()).iter_rows(named=True):
        for side in ("chosen", "rejected"):
            assert row["initial_reason_steps"] + row[side] == row[f"full_{side}"]


def test_a_step_that_is_more_than_text_is_refused() -> None:
    call = to_rows([{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}])
    rows = pairs().head(1)
    odd = rows.with_columns(chosen=rows["chosen"].clear().extend_constant(call, 1))
    with pytest.raises(ValueError, match="pair 1: a step holds more than text"):
        step_dpo(odd)


def test_no_pairs_give_the_same_columns() -> None:
    assert step_dpo(pairs().clear()).schema == step_dpo(pairs()).schema
