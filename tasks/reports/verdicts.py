"""Verdicts of a judge on gold items, read from the judgments it made of their completions.

Source: the judgments table; Zheng et al. 2023, arXiv:2306.05685, section 3.4 (two orders).
"""

from __future__ import annotations

import polars as pl

from tasks.reports.gold import VERDICTS, shaped

_OPTIONAL = {"score": pl.Float64, "winner": pl.String, "probability": pl.Float64}


def verdicts(judgments: pl.DataFrame, gold: pl.DataFrame) -> pl.DataFrame:
    """Returns a verdict table: one row per judgment of a pair, and one per pair and trial for pointwise judges.

    A pairwise judgment names the first or the second, whatever the order shown; its probability, that the first shown
    is better, is turned with it. Two ratings make the higher one the winner, equal ones a tie, and their difference is
    the ``margin``; where either failed, so did the verdict, by the first's outcome if that failed. Failed judgments
    keep their outcome and have no verdict. The verdict on a single solution is the first wrong step that the
    judgment's ``meta`` names, or ``none``.

    Args:
        judgments: of one judge or several.
        gold: item_id, first_id and second_id (completions; a solution has the first only); rows without are skipped.
    """
    items = gold.select("item_id", "first_id", "second_id").drop_nulls().unique().sort("item_id")
    typed = [
        (pl.col(name) if name in judgments.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in _OPTIONAL.items()
    ]
    rows = judgments.with_columns(*typed)
    found = pl.concat([_of_pairs(rows, items), _of_ratings(rows, items), _of_steps(rows, gold)])
    return found.sort("item_id", "judge", "trial", "swapped", nulls_last=True)


def _of_pairs(rows: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    shown = rows.filter(pl.col("kind") == "pairwise").with_columns(
        _one=pl.col("subjects").list.get(0), _two=pl.col("subjects").list.get(1)
    )
    parts = []
    for turned, (one, two) in ((False, ("first_id", "second_id")), (True, ("second_id", "first_id"))):
        met = items.join(shown, left_on=[one, two], right_on=["_one", "_two"], coalesce=False)
        named = (
            pl.when(pl.col("outcome") == "tie").then(pl.lit("tie"))
            .when(pl.col("outcome") != "valid").then(None)
            .when(pl.col("winner") == pl.col("first_id")).then(pl.lit("first"))
            .when(pl.col("winner") == pl.col("second_id")).then(pl.lit("second"))
        )  # fmt: skip
        chance = 1 - pl.col("probability") if turned else pl.col("probability")
        parts.append(
            met.select("item_id", "judge", "outcome", swapped=pl.lit(turned), verdict=named, probability=chance)
        )
    whole = pl.concat(parts)
    return shaped(whole.with_columns(trial=pl.int_range(pl.len()).over("item_id", "judge", "swapped")), VERDICTS)


def _of_ratings(rows: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    rated = rows.filter(pl.col("kind") == "pointwise").select(
        "judge", "outcome", "score", subject=pl.col("subjects").list.first()
    )
    rated = rated.with_columns(trial=pl.int_range(pl.len()).over("judge", "subject"))
    first = items.join(rated, left_on="first_id", right_on="subject")
    both = first.join(
        rated, left_on=["second_id", "judge", "trial"], right_on=["subject", "judge", "trial"], suffix="_2"
    )
    fine = (pl.col("outcome") == "valid") & (pl.col("outcome_2") == "valid")
    gap = pl.col("score") - pl.col("score_2")
    named = pl.when(gap > 0).then(pl.lit("first")).when(gap < 0).then(pl.lit("second")).otherwise(pl.lit("tie"))
    outcome = (
        pl.when(fine & (gap == 0)).then(pl.lit("tie")).when(pl.col("outcome") != "valid").then("outcome")
        .otherwise("outcome_2")
    )  # fmt: skip
    named_both = both.with_columns(
        outcome=outcome, verdict=pl.when(fine).then(named), swapped=pl.lit(None, pl.Boolean),
        probability=pl.lit(None, pl.Float64), margin=pl.when(fine).then(gap),
    )  # fmt: skip
    return shaped(named_both, VERDICTS)


def _of_steps(rows: pl.DataFrame, gold: pl.DataFrame) -> pl.DataFrame:
    items = gold.filter(pl.col("second_id").is_null()).select("item_id", "first_id").drop_nulls().unique()
    meta = pl.col("meta") if "meta" in rows.columns else pl.lit(None, pl.String)
    said = rows.filter(pl.col("kind") == "pointwise").select(
        "judge", "outcome", first_id=pl.col("subjects").list.first(),
        verdict=pl.when(pl.col("outcome") == "valid").then(meta.str.json_path_match("$.first_error")),
    )  # fmt: skip
    met = items.join(said, on="first_id").sort("item_id")
    return shaped(met.with_columns(trial=pl.int_range(pl.len()).over("item_id", "judge")), VERDICTS)
