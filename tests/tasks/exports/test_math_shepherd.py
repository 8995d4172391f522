"""Math-Shepherd's marks and signs."""

from __future__ import annotations

import polars as pl
import pytest

from tasks.exports.math_shepherd import math_shepherd, read
from tests.support.nodes import toy
from tests.support.steprows import rows


def test_every_step_is_closed_by_the_mark_and_the_signs_stand_in_its_place() -> None:
    found = math_shepherd(rows(toy(), kind="hard"))
    wrong = next(row for row in found.iter_rows(named=True) if "A2" in row["input"])
    assert wrong == {
        "input": "2 + 2? A ки\nA2 ки\n", "label": "2 + 2? A +\nA2 -\n", "task": "Math",
    }  # fmt: skip


def test_as_many_marks_as_labels() -> None:
    for row in math_shepherd(rows()).iter_rows(named=True):
        text, labels = read(row["input"], row["label"])
        assert row["input"].count("ки") == len(labels)
        assert text == row["input"].replace(" ки", "")


def test_another_mark_task_and_threshold() -> None:
    found = math_shepherd(rows(toy(), kind="soft"), mark="<s>", threshold=0.8, task="GSM8K").row(0, named=True)
    assert (found["input"], found["label"], found["task"]) == ("2 + 2? A <s>\nA1 <s>\n", "2 + 2? A -\nA1 +\n", "GSM8K")


def test_a_text_with_the_mark_in_it_is_refused() -> None:
    held = rows(toy()).with_columns(completions=pl.lit(["руки\n", "b"], pl.List(pl.String)))
    with pytest.raises(ValueError, match="holds the mark 'ки' itself"):
        math_shepherd(held)


def test_texts_that_differ_in_more_than_the_marks_are_not_read() -> None:
    with pytest.raises(ValueError, match="differ after 0"):
        read("q a ки", "q b +")
    with pytest.raises(ValueError, match="end differently"):
        read("q a ки\n", "q a +")
