"""Joins verdicts to gold labels: one row per verdict, per vote, per item, per comparison of two orders.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.4 (a win counts when both orders name it; else it is a tie).
"""

from __future__ import annotations

import polars as pl

FAILED = "failed"
PAIR = ("first", "second")
_OF_ITEM = (
    "prompt_id", "prompt", "first_policy", "second_policy", "task", "language", "subset", "many_id", "contrast_id",
)  # fmt: skip


def items(gold: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per item: the majority label (``label``), its lengths, policies and slices.

    The majority is the label most annotators gave; a split is a ``tie`` between pairs and null between other labels.
    """
    pair = gold["label"].drop_nulls().is_in([*PAIR, "tie"]).all()
    counted = gold.drop_nulls("label").group_by("item_id", "label").len()
    top = counted.filter(pl.col("len") == pl.col("len").max().over("item_id"))
    split = pl.lit("tie" if pair else None, pl.String)
    label = top.group_by("item_id").agg(
        pl.when(pl.len() == 1).then(pl.col("label").first()).otherwise(split).alias("label")
    )
    lengths = [
        pl.coalesce(f"{side}_chars", pl.col(side).str.len_chars()).drop_nulls().first().alias(f"{side}_chars")
        for side in PAIR
    ]
    lengths += [pl.coalesce(side, f"{side}_policy").drop_nulls().first().alias(f"{side}_who") for side in PAIR]
    whole = gold.group_by("item_id").agg(*(pl.col(name).drop_nulls().first() for name in _OF_ITEM), *lengths)
    return whole.join(label, on="item_id", how="left").sort("item_id")


def read(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Returns the verdicts with ``read``: the verdict that counts, ``tie`` for a contradicted one, else ``failed``."""
    counts = pl.col("outcome").is_in(["valid", "tie"]) & pl.col("verdict").is_not_null()
    return verdicts.with_columns(
        read=pl.when(counts).then(pl.col("verdict"))
        .when(pl.col("outcome") == "contradicted").then(pl.lit("tie"))
        .otherwise(pl.lit(FAILED))
    )  # fmt: skip


def judged(verdicts: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per verdict with what is known of its item; verdicts on unknown items are not dropped.

    Raises:
        ValueError: a verdict on an item the gold table does not have.
    """
    unknown = verdicts.join(whole, on="item_id", how="anti")
    if unknown.height:
        raise ValueError(f"verdict on item {unknown['item_id'][0]!r}, which the gold table does not have")
    return read(verdicts).join(whole, on="item_id", how="left", maintain_order="left").sort(
        "item_id", "trial", "swapped", maintain_order=True
    )  # fmt: skip


def both_orders(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per item and trial that was shown in both orders: ``straight`` and ``turned`` readings."""
    by_trial = ["item_id", "trial"]
    sides = [
        rows.filter(pl.col("swapped") == turned).group_by(by_trial).agg(pl.col("read").first().alias(name))
        for turned, name in ((False, "straight"), (True, "turned"))
    ]
    return sides[0].join(sides[1], on=by_trial, how="inner", nulls_equal=True).sort(by_trial)


def combined(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per item and trial: the winner both orders name, else a tie; ``failed`` where one is missing.

    Verdicts that were combined before they came here (``swapped`` null) stay as they are.
    """
    pairs = both_orders(rows).with_columns(
        read=pl.when((pl.col("straight") == FAILED) | (pl.col("turned") == FAILED)).then(pl.lit(FAILED))
        .when(pl.col("straight") == pl.col("turned")).then("straight")
        .otherwise(pl.lit("tie"))
    )  # fmt: skip
    ready = rows.filter(pl.col("swapped").is_null())
    labels = rows.select("item_id", "label").unique("item_id")
    merged = pl.concat([frame.select("item_id", "trial", "read") for frame in (pairs, ready)])
    return merged.join(labels, on="item_id", how="left", maintain_order="left")


def against_votes(rows: pl.DataFrame, gold: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per verdict and human vote on its item: ``read`` and ``vote``."""
    votes = gold.drop_nulls(["label", "annotator"]).select("item_id", "annotator", "group", vote="label")
    return rows.join(votes, on="item_id", how="inner")


def between_votes(gold: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per two votes of different annotators on an item, in the order they stand: ``one``, ``other``."""
    votes = gold.drop_nulls(["label", "annotator"]).with_row_index("_row")
    right = votes.select("item_id", "_row", "annotator", other="label")
    return (
        votes.select("item_id", "_row", "annotator", "subset", one="label").join(right, on="item_id", suffix="_other")
        .filter((pl.col("_row") < pl.col("_row_other")) & (pl.col("annotator") != pl.col("annotator_other")))
        .sort("_row", "_row_other")
    )  # fmt: skip


def answers(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per item with a winner in gold: what the judge said of the better one, from -1 to 1.

    ``straight``: mean verdict where the better one was shown first; ``turned``: where it was shown second; ``blind``:
    where the order is not known; ``implied``: what its verdicts on other pairs of the prompt imply (see ``implied``).
    """
    better = (
        pl.when(pl.col("read") == "tie").then(0.0).when(pl.col("read") == pl.col("label")).then(1.0).otherwise(-1.0)
    )
    known = rows.filter(pl.col("label").is_in(PAIR), pl.col("read").is_in([*PAIR, "tie"])).with_columns(
        said=better, mirrored=(pl.col("label") == "second") != pl.col("swapped")
    )
    direct = known.group_by("item_id").agg(
        straight=pl.col("said").filter(pl.col("mirrored") == False).mean(),  # noqa: E712
        turned=pl.col("said").filter("mirrored").mean(),
        blind=pl.col("said").filter(pl.col("mirrored").is_null()).mean(),
        first_better=(pl.col("label") == "first").first(),
    )
    mirror = pl.when("first_better").then(pl.col("implied")).otherwise(-pl.col("implied"))
    found = direct.join(implied(rows), on="item_id", how="left").with_columns(implied=mirror)
    return found.drop("first_better").sort("item_id")


def implied(rows: pl.DataFrame, by: str | None = None) -> pl.DataFrame:
    """Returns item_id and ``implied``: what a judge's verdicts on the other pairs of a prompt say for the first.

    Over the n completions that both of a pair met: mean signed verdict of the first against each less that of the
    second, summed and divided by sqrt(n).

    Args:
        by: the column of what was said for the first, where it is finer than the verdict.
    """
    prompt = pl.coalesce("prompt_id", "prompt")
    signed = (
        pl.col(by)
        if by
        else pl.col("read").replace_strict(
            {"first": 1.0, "second": -1.0, "tie": 0.0}, default=None, return_dtype=pl.Float64
        )
    )
    known = rows.with_columns(_prompt=prompt, said=signed).drop_nulls(["_prompt", "said", "first_who", "second_who"])
    one = known.select("_prompt", "said", who="first_who", met="second_who")
    other = known.select("_prompt", -pl.col("said"), who="second_who", met="first_who")
    table = pl.concat([one, other]).group_by("_prompt", "who", "met").agg(pl.col("said").mean())
    pairs = rows.select("item_id", "first_who", "second_who", _prompt=prompt).unique("item_id")
    total = (pl.col("said") - pl.col("said_other")).sum()
    return (
        pairs.join(table, left_on=["_prompt", "first_who"], right_on=["_prompt", "who"])
        .join(table, left_on=["_prompt", "second_who", "met"], right_on=["_prompt", "who", "met"], suffix="_other")
        .group_by("item_id").agg(implied=(total / pl.len().sqrt()).round(9))
    )  # fmt: skip
