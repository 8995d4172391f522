"""Importers: published judgments and human votes as one plain gold table and one plain verdict table.

Source: Zheng et al. 2023, arXiv:2306.05685 (MT-bench votes, Vicuna-bench reviews); Zeng et al. 2023, arXiv:2310.07641
(LLMBar); Wang et al. 2023, arXiv:2306.05087 (PandaLM); Bai et al. 2022, arXiv:2204.05862 (HH-RLHF). Solutions with a
labelled first wrong step are in ``gold_steps``.

A gold table has one row per item and annotator. An item is a pair, or anything else that has one label. A verdict
table has one row per answer of a judge. Every file a user brings in these columns is a gold set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from schemas.ids import coin

Columns = Mapping[str, pl.DataType | type[pl.DataType]]

GOLD: Columns = {
    "item_id": pl.String, "prompt_id": pl.String, "label": pl.String, "annotator": pl.String, "group": pl.String,
    "prompt": pl.String, "first": pl.String, "second": pl.String, "first_policy": pl.String, "second_policy": pl.String,
    "first_chars": pl.Int64, "second_chars": pl.Int64, "task": pl.String, "language": pl.String, "subset": pl.String,
    "many_id": pl.String, "contrast_id": pl.String, "first_id": pl.String, "second_id": pl.String,
    "steps": pl.List(pl.String),
}  # fmt: skip
"""Column -> type.

``label``: ``first``, ``second`` or ``tie`` for a pair; the number of the first wrong step (from 1) or ``none`` for a
solution; any word for another kind of item; null where nobody said.
``prompt_id``: which items have one prompt; by default those with the same prompt text.
``annotator``, ``group``: who said so; null where the label is simply known. ``first_chars``: length where the text is
not at hand. ``many_id``: pairs of one right answer with each of several wrong ones. ``contrast_id``: items that differ
in their prompt only. ``first_id``, ``second_id``: the completions' ids, once they are in the lake. ``steps``: those of
the solution that ``first`` is.
"""

VERDICTS: Columns = {
    "item_id": pl.String, "judge": pl.String, "trial": pl.Int64, "swapped": pl.Boolean, "outcome": pl.String,
    "verdict": pl.String, "probability": pl.Float64, "reason_ok": pl.Boolean, "margin": pl.Float64,
}  # fmt: skip
"""Column -> type.

``verdict``: in the words of the gold label, null unless ``outcome`` is ``valid`` or ``tie``. ``swapped``: the second
was shown first; null where the orders were combined before. ``outcome``: as in the judgments table, and
``contradicted`` for a combined verdict of two orders that named different winners. ``probability``: that the first is
the better one. ``margin``: by how much a reward model prefers the first, in its own unit. ``reason_ok``: whether
somebody graded the judge's explanation right.
"""

FAILURES = ("refused", "unparsable", "truncated", "error")


class Imported(NamedTuple):
    """A gold table and the verdicts that were published with it."""

    gold: pl.DataFrame
    verdicts: pl.DataFrame


def plain(gold: pl.DataFrame) -> pl.DataFrame:
    """Returns a gold table with all its columns in order; those that are absent are null, unknown ones are dropped.

    A solution that came as a list of steps is their text, a line each. An annotator may label an item twice (people do,
    when asked again).

    Raises:
        ValueError: no item or label.
    """
    missing = [name for name in ("item_id", "label") if name not in gold.columns]
    if missing:
        raise ValueError(f"a gold table needs the column {missing[0]!r}; it has {', '.join(gold.columns)}")
    rows = shaped(gold, GOLD)
    return rows.with_columns(first=pl.coalesce(pl.col("steps").list.join("\n"), "first"))


def shaped(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Returns the frame with these columns in order; those that are absent are null, others are dropped."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in columns.items()
    )


def _named(winner: pl.Expr, first: str, second: str, tie: str) -> pl.Expr:
    """The published word for a winner in the words of a gold label; null for any other word."""
    return winner.replace_strict({first: "first", second: "second", tie: "tie"}, default=None, return_dtype=pl.String)


def outcome(verdict: pl.Expr) -> pl.Expr:
    """Returns the outcome of a published verdict: what names nothing is unparsable."""
    return (
        pl.when(verdict == "tie").then(pl.lit("tie"))
        .when(verdict.is_null()).then(pl.lit("unparsable"))
        .otherwise(pl.lit("valid"))
    )  # fmt: skip


def mtbench(
    human: pl.DataFrame,
    gpt4: pl.DataFrame,
    answers: pl.DataFrame | None = None,
    questions: pl.DataFrame | None = None,
) -> Imported:
    """Returns MT-bench votes as gold (one row per vote) and GPT-4's combined verdicts on the same pairs.

    The first of a pair is the model whose name sorts first, whatever order a vote was stored in; the subset is the
    turn. Pairs that only GPT-4 judged are items without a label.

    Args:
        human: question_id, turn, model_a, model_b, winner (model_a, model_b, tie), judge and, where they are there,
            judge_kind, and the answers, as conversation_a and conversation_b or as answer_a and answer_b.
        gpt4: the same without the last two; ``tie (inconsistent)`` is a verdict that flipped with the order.
        answers: question_id, model, answer_turn1, answer_turn2; gives texts. questions: question_id, category.
    """
    people, judged = _mtbench_pairs(human), _mtbench_pairs(gpt4.drop(*_TEXTS, strict=False))
    unlabelled = judged.join(people, on="item_id", how="anti").with_columns(label=pl.lit(None, pl.String))
    votes_of = pl.concat([people, unlabelled], how="diagonal")
    votes = votes_of.with_columns(
        annotator="judge",
        group="judge_kind" if "judge_kind" in votes_of.columns else pl.lit(None, pl.String),
        subset=pl.format("turn {}", "turn"),
        prompt_id=pl.format("mtbench/{}/{}", "question_id", "turn"),
    )
    if questions is not None:
        votes = votes.join(questions.select("question_id", task="category"), on="question_id", how="left")
    if answers is not None:
        votes = _with_answers(votes, answers)
    verdicts = judged.select(
        "item_id", judge=pl.lit("gpt-4"), verdict="label",
        outcome=pl.when(pl.col("winner") == "tie (inconsistent)").then(pl.lit("contradicted"))
        .otherwise(outcome(pl.col("label"))),
    )  # fmt: skip
    return Imported(plain(votes), shaped(verdicts, VERDICTS))


def _mtbench_pairs(votes: pl.DataFrame) -> pl.DataFrame:
    turned = pl.col("model_a") > pl.col("model_b")
    label = _named(pl.col("winner"), "model_a", "model_b", "tie")
    mirrored = label.replace({"first": "second", "second": "first"})
    first, second = pl.min_horizontal("model_a", "model_b"), pl.max_horizontal("model_a", "model_b")
    texts = _own_texts(votes)
    own = {}
    if texts:
        own = {"first": pl.when(turned).then(texts[1]).otherwise(texts[0]),
               "second": pl.when(turned).then(texts[0]).otherwise(texts[1])}  # fmt: skip
    return votes.with_columns(
        **own, label=pl.when(turned).then(mirrored).otherwise(label), first_policy=first, second_policy=second,
        item_id=pl.format("mtbench/{}/{}/{}/{}", "question_id", "turn", first, second),
    )  # fmt: skip


_TEXTS = ("answer_a", "answer_b", "conversation_a", "conversation_b")


def _own_texts(votes: pl.DataFrame) -> list[pl.Expr]:
    """Returns the two answers of a row's turn, where the rows hold them; of a conversation, the reply of that turn."""
    if {"answer_a", "answer_b"} <= set(votes.columns):
        return [pl.col("answer_a"), pl.col("answer_b")]
    if not {"conversation_a", "conversation_b"} <= set(votes.columns):
        return []
    spoken = pl.element().filter(pl.element().struct.field("role") == "assistant").struct.field("content")
    return [
        pl.col(f"conversation_{side}").list.eval(spoken).list.get(pl.col("turn") - 1, null_on_oob=True) for side in "ab"
    ]


def _with_answers(votes: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    long = answers.unpivot(
        ["answer_turn1", "answer_turn2"], index=["question_id", "model"], variable_name="turn", value_name="text"
    ).with_columns(turn=pl.col("turn").str.slice(-1).cast(pl.Int64))
    votes = votes.drop("first", "second", strict=False)
    for side in ("first", "second"):
        texts = long.select("question_id", "turn", pl.col("model").alias(f"{side}_policy"), pl.col("text").alias(side))
        votes = votes.join(texts, on=["question_id", "turn", f"{side}_policy"], how="left", maintain_order="left")
    return votes


def llmbar(pairs: pl.DataFrame, outputs: pl.DataFrame) -> Imported:
    """Returns LLMBar as gold and its judges' verdicts in both orders; a judge is called ``model/prompting``.

    Args:
        pairs: subset, item, instruction, output_1, output_2, gold (1 or 2).
        outputs: subset, item, judge, prompting, trial, swapped, winner (original numbering, ``None`` unreadable).
    """
    name = pl.format("llmbar/{}/{}", "subset", "item")
    gold = pairs.select(
        "subset", item_id=name, label=_named(pl.col("gold").cast(pl.String), "1", "2", "tie"), prompt="instruction",
        first="output_1", second="output_2",
    )  # fmt: skip
    verdict = _named(pl.col("winner"), "1", "2", "tie")
    verdicts = outputs.select(
        "trial", "swapped", item_id=name, judge=pl.format("{}/{}", "judge", "prompting"), verdict=verdict,
        outcome=outcome(verdict),
    )  # fmt: skip
    return Imported(plain(gold), shaped(verdicts, VERDICTS))


def pandalm(pairs: pl.DataFrame) -> Imported:
    """Returns PandaLM's human pairs as gold (three annotators an item) and the verdicts of its two judges.

    Args:
        pairs: idx, instruction, input, model_1, model_2, response_1, response_2, annotator1 … annotator3 (0 tie, 1, 2),
            gpt35_verdict (1, 2, Tie, garbage), pandalm7b_verdict (0 tie, 1, 2).
    """
    named = pairs.with_columns(
        item_id=pl.format("pandalm/{}", "idx"), prompt=pl.concat_str("instruction", "input", separator="\n"),
        first="response_1", second="response_2", first_policy="model_1", second_policy="model_2",
    )  # fmt: skip
    gold = named.unpivot(
        ["annotator1", "annotator2", "annotator3"], variable_name="annotator", value_name="said",
        index=["item_id", "prompt", "first", "second", "first_policy", "second_policy"],
    ).with_columns(label=_named(pl.col("said").cast(pl.String), "1", "2", "0"))  # fmt: skip
    verdicts = named.select("item_id", "gpt35_verdict", "pandalm7b_verdict").rename(
        {"gpt35_verdict": "gpt-3.5-turbo", "pandalm7b_verdict": "pandalm-7b"}
    ).unpivot(index="item_id", variable_name="judge", value_name="said")  # fmt: skip
    verdict = _named(pl.col("said").replace("Tie", "0"), "1", "2", "0")
    return Imported(plain(gold), shaped(verdicts.with_columns(verdict=verdict, outcome=outcome(verdict)), VERDICTS))


def vicuna(reviews: pl.DataFrame) -> Imported:
    """Returns Vicuna-bench reviews as items that nobody labelled and GPT-4's verdicts, each in the one order shown.

    Args:
        reviews: question_id, model_a, model_b, winner (model_a, model_b, tie), len_a, len_b.
    """
    name = pl.format("vicuna/{}/{}/{}", "question_id", "model_a", "model_b")
    items = reviews.select(
        item_id=name, label=pl.lit(None, pl.String), first_policy="model_a", second_policy="model_b",
        first_chars="len_a", second_chars="len_b", task=pl.col("question_id").cast(pl.String),
    )  # fmt: skip
    verdict = _named(pl.col("winner"), "model_a", "model_b", "tie")
    verdicts = reviews.select(
        item_id=name, judge=pl.lit("gpt-4"), swapped=pl.lit(False), verdict=verdict, outcome=outcome(verdict)
    )
    return Imported(plain(items.unique("item_id", maintain_order=True)), shaped(verdicts, VERDICTS))


def chosen_rejected(pairs: pl.DataFrame, *, name: str = "pairs", seed: int = 0) -> pl.DataFrame:
    """Returns a preference set (id, prompt, chosen, rejected) as gold; a coin of its id says which stands first."""
    turned = pl.Series("turned", [coin(seed, name, key) < 0.5 for key in pairs["id"]], dtype=pl.Boolean)
    return plain(
        pairs.with_columns(turned).with_columns(
            item_id=pl.format("{}/{}", pl.lit(name), "id"),
            label=pl.when("turned").then(pl.lit("second")).otherwise(pl.lit("first")),
            first=pl.when("turned").then("rejected").otherwise("chosen"),
            second=pl.when("turned").then("chosen").otherwise("rejected"),
        )
    )
