"""OpenR's merged rows."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given

from tasks.exports.openr import openr, read
from tasks.exports.trl_stepwise import trl_stepwise
from tests.support.nodes import toy
from tests.support.steprows import ANY, rows


def test_a_tag_after_every_step_and_a_sign_a_tag() -> None:
    found = openr(rows(toy(), kind="hard"), tag="<step>")
    wrong = next(row for row in found.iter_rows(named=True) if "A2" in row["process"])
    assert wrong == {"question": "2 + 2?", "process": "A<step>A2<step>", "label": ["+", "-"]}


@given(ANY)
def test_stepwise_rows_read_back_are_what_they_were(table: pl.DataFrame) -> None:
    ours = trl_stepwise(table, separator="").select("completions", "labels").iter_rows()
    theirs = [read(row["process"], row["label"], tag="<k>") for row in openr(table, tag="<k>").iter_rows(named=True)]
    assert theirs == [([text.rstrip("\n") for text in steps], labels) for steps, labels in ours]


def test_a_step_that_holds_or_borders_the_tag_is_refused() -> None:
    for texts in (["a\n\n\n\n\nb", "c"], ["a", "\n\n\n\n\nc"]):
        held = rows(toy()).with_columns(completions=pl.lit(texts, pl.List(pl.String)))
        with pytest.raises(ValueError, match="holds or borders the tag"):
            openr(held)


def test_a_row_with_another_number_of_labels_is_not_read() -> None:
    with pytest.raises(ValueError, match="1 steps stand against 2 labels"):
        read("a<k>", ["+", "-"], tag="<k>")
