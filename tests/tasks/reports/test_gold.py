from __future__ import annotations

import polars as pl
import pytest

from tasks.reports import gold
from tasks.reports.shapes import recognised


def test_mtbench_pairs_stand_in_one_order_and_unlabelled_ones_are_kept() -> None:
    human = pl.DataFrame(
        {"question_id": [81, 81], "turn": [1, 1], "model_a": ["x", "b"], "model_b": ["b", "x"],
         "winner": ["model_a", "tie"], "judge": ["expert_1", "author_2"], "judge_kind": ["expert", "author"]}
    )  # fmt: skip
    gpt4 = pl.DataFrame(
        {"question_id": [81, 81], "turn": [1, 2], "model_a": ["x", "x"], "model_b": ["b", "b"],
         "winner": ["tie (inconsistent)", "model_b"]}
    )  # fmt: skip
    answers = pl.DataFrame({"question_id": [81, 81], "model": ["b", "x"], "answer_turn1": ["four", "long answer"],
                            "answer_turn2": ["", "y"]})  # fmt: skip
    questions = pl.DataFrame({"question_id": [81], "category": ["writing"]})
    found = gold.mtbench(human, gpt4, answers, questions)
    assert found.gold.select("item_id", "label", "annotator", "group", "first_policy", "first", "task").rows() == [
        ("mtbench/81/1/b/x", "second", "expert_1", "expert", "b", "four", "writing"),
        ("mtbench/81/1/b/x", "tie", "author_2", "author", "b", "four", "writing"),
        ("mtbench/81/2/b/x", None, None, None, "b", "", "writing"),
    ]
    assert found.verdicts.select("item_id", "outcome", "verdict").rows() == [
        ("mtbench/81/1/b/x", "contradicted", None), ("mtbench/81/2/b/x", "valid", "first"),
    ]  # fmt: skip


def test_llmbar_verdicts_keep_their_order_and_their_failures() -> None:
    pairs = pl.DataFrame({"subset": ["Natural"], "item": [3], "instruction": ["do"], "output_1": ["a"],
                          "output_2": ["b"], "gold": [2]})  # fmt: skip
    outputs = pl.DataFrame(
        {"subset": ["Natural"] * 2, "item": [3, 3], "judge": ["M", "M"], "prompting": ["CoT", "CoT"], "trial": [0, 0],
         "swapped": [False, True], "winner": ["2", "None"], "gold": ["2", "2"]}
    )  # fmt: skip
    found = gold.llmbar(pairs, outputs)
    assert found.gold.select("item_id", "label", "prompt", "subset").rows() == [
        ("llmbar/Natural/3", "second", "do", "Natural")
    ]
    assert found.verdicts.select("judge", "swapped", "outcome", "verdict").rows() == [
        ("M/CoT", False, "valid", "second"), ("M/CoT", True, "unparsable", None),
    ]  # fmt: skip


def test_pandalm_has_three_annotators_and_garbage_is_no_verdict() -> None:
    pairs = pl.DataFrame(
        {"idx": [7], "instruction": ["say"], "input": ["hi"], "model_1": ["m"], "model_2": ["n"], "response_1": ["a"],
         "response_2": ["b"], "annotator1": [0], "annotator2": [1], "annotator3": [2], "gpt35_verdict": ["garbage"],
         "pandalm7b_verdict": ["0"]}
    )  # fmt: skip
    found = gold.pandalm(pairs)
    assert found.gold.select("annotator", "label", "prompt").rows() == [
        ("annotator1", "tie", "say\nhi"), ("annotator2", "first", "say\nhi"), ("annotator3", "second", "say\nhi"),
    ]  # fmt: skip
    assert found.verdicts.select("judge", "outcome", "verdict").rows() == [
        ("gpt-3.5-turbo", "unparsable", None), ("pandalm-7b", "tie", "tie"),
    ]  # fmt: skip


def test_vicuna_reviews_have_no_labels_but_lengths() -> None:
    reviews = pl.DataFrame({"question_id": [1], "model_a": ["m"], "model_b": ["n"], "winner": ["model_b"],
                            "len_a": [730], "len_b": [381]})  # fmt: skip
    found = gold.vicuna(reviews)
    assert found.gold.select("label", "first_chars", "second_chars").rows() == [(None, 730, 381)]
    assert found.verdicts.select("swapped", "verdict").rows() == [(False, "second")]


def test_a_preference_set_does_not_always_put_the_chosen_first() -> None:
    pairs = pl.DataFrame({"id": [str(i) for i in range(200)], "prompt": ["p"] * 200, "chosen": ["good"] * 200,
                          "rejected": ["bad"] * 200})  # fmt: skip
    found = gold.chosen_rejected(pairs)
    assert 70 < (found["label"] == "first").sum() < 130
    told = found.select(pl.when(pl.col("label") == "first").then("first").otherwise("second").alias("told"))
    assert told["told"].unique().to_list() == ["good"]
    assert found.equals(gold.chosen_rejected(pairs.reverse()).reverse())


def test_a_file_of_ones_own_needs_only_items_and_labels() -> None:
    found = gold.plain(pl.DataFrame({"item_id": ["1"], "label": ["first"], "colour": ["red"]}))
    assert found.columns == list(gold.GOLD)
    with pytest.raises(ValueError, match="needs the column 'label'; it has item_id"):
        gold.plain(pl.DataFrame({"item_id": ["1"]}))


def spoken(*replies):
    return [message for reply in replies for message in
            ({"role": "user", "content": "?"}, {"role": "assistant", "content": reply})]  # fmt: skip


def test_the_answers_that_stand_beside_votes_of_mtbench_are_kept() -> None:
    votes = pl.DataFrame(
        {"question_id": [1, 1], "turn": [1, 2], "model_a": ["m", "a"], "model_b": ["a", "m"],
         "winner": ["model_a", "model_a"], "judge": ["h", "h"],
         "conversation_a": [spoken("mm", "m2"), spoken("a1", "aa")],
         "conversation_b": [spoken("a1", "aa"), spoken("mm", "m2")]}
    )  # fmt: skip
    judged = pl.DataFrame({"question_id": [1], "turn": [1], "model_a": ["a"], "model_b": ["m"], "winner": ["model_b"]})
    found = recognised(votes, judged).gold.sort("item_id")
    assert found.select("label", "first", "second").rows() == [("second", "a1", "mm"), ("first", "aa", "m2")]
    answers = pl.DataFrame(
        {"question_id": [1, 1], "model": ["a", "m"], "answer_turn1": ["x", "yy"], "answer_turn2": ["z", "w"]}
    )
    lean = votes.drop("conversation_a", "conversation_b")
    assert recognised(lean, judged, answers=answers).gold.sort("item_id")["first"].to_list() == ["x", "z"]
    with pytest.raises(ValueError, match="answers go with MT-bench's votes"):
        recognised(pl.DataFrame({"item_id": ["1"], "label": ["first"]}), answers=answers)
