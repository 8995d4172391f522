"""Solutions with a labelled first wrong step become gold labels; critics' answers become verdicts."""

from __future__ import annotations

import polars as pl
import pytest

from tasks.reports.audit import audit
from tasks.reports.shapes import recognised

MISTAKES = pl.DataFrame(
    {
        "task": ["word_sorting", "word_sorting", "dyck_languages"], "item": [0, 5, 0], "input": ["b a", "d c", "[ ["],
        "steps": [["look", "sort"], ["look"], ["a", "", "b"]], "answer_correct": [False, True, True],
        "mistake_index": [1, None, 3],
    }
)  # fmt: skip
FIRST = pl.DataFrame(
    {
        "uuid": ["u", "v", "w"], "question": ["q"] * 3, "question_type": ["original"] * 3,
        "steps": [["a", "b"], ["c"], ["d"]], "first_error_step": ["2", "1", "N/A"],
        "solution_correct": [False, False, True],
    }
)  # fmt: skip


def test_an_index_from_nought_becomes_a_number_from_one_and_no_index_none() -> None:
    gold = recognised(MISTAKES).gold
    assert gold["item_id"].to_list() == [f"bigbench_mistake/{x}" for x in ("word_sorting/0", "word_sorting/5",
                                                                           "dyck_languages/0")]  # fmt: skip
    assert gold["label"].to_list() == ["2", "none", None]  # no fourth step: nobody knows what was meant
    assert gold["first"].to_list() == ["look\nsort", "look", "a\n\nb"]
    assert gold["steps"].to_list()[2] == ["a", "", "b"]
    assert gold["prompt"][0] == "(word sorting)\n\nb a"


def test_mrgsm8k_labels_are_steps_however_the_critic_wrote_them() -> None:
    critics = pl.DataFrame(
        {"uuid": ["u", "v", "v"], "critic": ["C", "C", "D"], "pred_error_step": ["Step 2", " 1", "none"],
         "reason_ok": ["correct", "incorrect", "garbled"]}
    )  # fmt: skip
    found = recognised(FIRST, critics)
    assert found.gold["label"].to_list() == ["2", "1", "none"]
    assert found.verdicts.select("verdict", "outcome", "reason_ok").rows() == [
        ("2", "valid", True), ("1", "valid", False), (None, "unparsable", None),
    ]  # fmt: skip


def test_solutions_are_a_gold_set_without_any_verdicts() -> None:
    assert recognised(FIRST).verdicts.is_empty()
    assert recognised(FIRST.drop("solution_correct")).gold["label"].to_list() == ["2", "1", None]
    with pytest.raises(ValueError, match="critics' outputs need the column 'critic'"):
        recognised(FIRST, pl.DataFrame({"uuid": ["u"], "pred_error_step": ["1"]}))


def test_a_file_of_ones_own_may_list_its_steps() -> None:
    own = pl.DataFrame(
        {"item_id": ["i", "j"], "label": ["1", "none"], "first": ["x", "kept"], "steps": [["a", "b"], None]}
    )
    assert recognised(own).gold["first"].to_list() == ["a\nb", "kept"]


def test_an_audit_shows_the_share_of_explanations_graded_right() -> None:
    many = pl.DataFrame({"uuid": [str(i) for i in range(133)], "question": "q", "question_type": "original",
                         "steps": [["a", "b"]] * 133, "first_error_step": "1"})  # fmt: skip
    critics = many.select("uuid", critic=pl.lit("C"), pred_error_step=pl.lit("1"),
                          reason_ok=pl.Series(["correct"] * 78 + ["incorrect"] * 55))  # fmt: skip
    found = recognised(many, critics)
    assert str(audit(found.gold, found.verdicts)["explanations"]) == "58.6 % (50.1-66.7, n=133)"
