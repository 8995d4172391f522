"""Stepwise supervision."""

from __future__ import annotations

from tasks.exports.trl_stepwise import trl_stepwise
from tests.support.nodes import toy
from tests.support.steprows import rows


def labelled(**params: float | str) -> dict[str, list[bool]]:
    found = trl_stepwise(rows(toy(), kind="hard"), **params)  # type: ignore[arg-type]
    return {"".join(steps): labels for steps, labels in found.select("completions", "labels").iter_rows()}


def test_the_toy_tree_gives_three_rows_of_hard_labels() -> None:
    assert labelled() == {"AA1": [True, True], "AA2": [True, False], "BB1": [True, False]}


def test_the_separator_is_left_to_the_trainer_and_the_prompt_is_text() -> None:
    first = trl_stepwise(rows(toy())).row(0, named=True)
    assert first["prompt"] == "2 + 2?"
    assert first["completions"] == ["A", "A1"]
    assert trl_stepwise(rows(toy()), separator="\n\n").row(0, named=True)["completions"] == ["A\n", "A1\n"]


def test_soft_labels_are_true_from_the_threshold_on() -> None:
    found = trl_stepwise(rows(toy(), kind="soft"), threshold=0.75)
    assert dict(zip(map("".join, found["completions"]), found["labels"].to_list(), strict=True)) == {
        "AA1": [True, True], "AA2": [True, False], "BB1": [False, False],
    }  # fmt: skip


def test_an_answer_is_right_whose_every_step_is() -> None:
    assert {text: all(labels) for text, labels in labelled().items()} == {"AA1": True, "AA2": False, "BB1": False}


def test_the_first_wrong_step_is_where_benchmarks_of_error_finding_count_it() -> None:
    first = {text: labels.index(False) if False in labels else -1 for text, labels in labelled().items()}
    assert first == {"AA1": -1, "AA2": 1, "BB1": 1}
