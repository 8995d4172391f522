"""What was said about each preference: one row per pair and judgment, seen from the chosen side.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.4 (both orders); Wang et al. 2024, arXiv:2401.06080, equation 2
(the margin of a pair is the difference of its rewards).

Only ``valid`` and ``tie`` count; a pair nobody could judge has no rows, not a margin of nought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

CELL = ["pair_id", "judge", "fingerprint"]
_OPTIONAL = {"score": pl.Float64, "winner": pl.String, "fingerprint": pl.String, "probability": pl.Float64}


def margins(
    preferences: pl.DataFrame, judgments: pl.DataFrame, judges: Sequence[str] | None = None, scale: float = 1.0
) -> pl.DataFrame:
    """Returns ``pair_id``, judge, fingerprint, ``turned`` and ``margin``, sorted.

    A verdict on the pair gives 2 p - 1, where the judge's probability p of the chosen being better is known, else 1
    (chosen better), 0 (tie) or -1; ``turned`` is whether the rejected was shown first.
    Two ratings by one judge give their difference over ``scale``, every repeat of the one with every repeat of the
    other, and ``turned`` is null.

    Args:
        preferences: pair_id, prompt_id, chosen_id, rejected_id and, where it is set, criterion, which then must agree.
        judges: only these; by default all.
    """
    if scale <= 0:
        raise ValueError(f"scale is {scale}, it must be above 0")
    typed = [
        (pl.col(name) if name in judgments.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in _OPTIONAL.items()
    ]
    rows = judgments.with_columns(*typed).filter(pl.col("outcome").is_in(["valid", "tie"]))
    if judges is not None:
        rows = rows.filter(pl.col("judge").is_in(judges))
    if "criterion" not in preferences.columns:
        preferences = preferences.with_columns(criterion=pl.lit(None, pl.String))
    pairs = preferences.select("pair_id", "prompt_id", "chosen_id", "rejected_id", wanted="criterion")
    found = pl.concat([_verdicts(pairs, rows), _differences(pairs, rows, scale)])
    return found.sort(found.columns)


def _verdicts(pairs: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    shown = rows.filter(pl.col("kind") == "pairwise").select(
        "prompt_id", "judge", "fingerprint", "criterion", "outcome", "winner", "probability",
        first=pl.col("subjects").list.get(0), second=pl.col("subjects").list.get(1),
    )  # fmt: skip
    parts = []
    for turned, (first, second) in ((False, ("chosen_id", "rejected_id")), (True, ("rejected_id", "chosen_id"))):
        met = pairs.join(shown, left_on=["prompt_id", first, second], right_on=["prompt_id", "first", "second"])
        margin = (
            pl.when(pl.col("outcome") == "tie").then(0.0)
            .when(pl.col("winner") == pl.col("chosen_id")).then(1.0)
            .when(pl.col("winner") == pl.col("rejected_id")).then(-1.0)
        )  # fmt: skip
        sure = (2 * pl.col("probability") - 1) * (-1.0 if turned else 1.0)
        graded = pl.when(margin.is_not_null()).then(pl.coalesce(sure, margin))
        asked = met.filter(_asked()).with_columns(margin=graded, turned=pl.lit(turned)).drop_nulls("margin")
        parts.append(asked.select(*CELL, "turned", "margin"))
    return pl.concat(parts)


def _differences(pairs: pl.DataFrame, rows: pl.DataFrame, scale: float) -> pl.DataFrame:
    rated = rows.filter(pl.col("kind") == "pointwise", pl.col("score").is_finite()).select(
        "prompt_id", "judge", "fingerprint", "criterion", "score", subject=pl.col("subjects").list.first()
    )
    by = ["prompt_id", "judge", "fingerprint", "criterion"]
    chosen = pairs.join(rated, left_on=["prompt_id", "chosen_id"], right_on=["prompt_id", "subject"]).filter(_asked())
    both = chosen.join(
        rated, left_on=[*by, "rejected_id"], right_on=[*by, "subject"], nulls_equal=True, suffix="_rejected"
    )
    return both.select(
        *CELL, turned=pl.lit(None, pl.Boolean), margin=(pl.col("score") - pl.col("score_rejected")) / scale
    )


def _asked() -> pl.Expr:
    return pl.col("wanted").is_null() | (pl.col("wanted") == pl.col("criterion"))


def implied(
    preferences: pl.DataFrame, judgments: pl.DataFrame, judges: Sequence[str] | None = None,
    *, read: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Returns what a judge's verdicts on other pairs of the prompt imply: pair_id, judge, fingerprint, ``implied``.

    Over the n completions that both met: mean signed verdict of the chosen against each less that of the rejected,
    summed and divided by sqrt(n). Pairs without a common opponent have no row.

    Args:
        read: what is done to the margins first; by default they are taken as they are.
    """
    met = judgments.filter(pl.col("kind") == "pairwise").select("prompt_id", "subjects", "criterion").unique()
    ends = pl.col("subjects").list.sort()
    every = met.select("prompt_id", "criterion", chosen_id=ends.list.get(0), rejected_id=ends.list.get(1)).unique()
    every = every.with_columns(
        pair_id=pl.concat_str("prompt_id", "chosen_id", "rejected_id", "criterion", separator="\0")
    )
    direct = margins(every, judgments.filter(pl.col("kind") == "pairwise"), judges)
    said = (read(direct) if read else direct).join(every, on="pair_id")
    by = ["prompt_id", "judge", "fingerprint", "criterion"]
    table = pl.concat(
        [
            said.select(*by, "margin", who="chosen_id", met="rejected_id"),
            said.select(*by, -pl.col("margin"), who="rejected_id", met="chosen_id"),
        ]
    ).group_by(*by, "who", "met").agg(pl.col("margin").mean())  # fmt: skip
    if "criterion" not in preferences.columns:
        preferences = preferences.with_columns(criterion=pl.lit(None, pl.String))
    pairs = preferences.select("pair_id", "prompt_id", "chosen_id", "rejected_id", wanted="criterion")
    first = pairs.join(table, left_on=["prompt_id", "chosen_id"], right_on=["prompt_id", "who"]).filter(_asked())
    both = first.join(
        table, left_on=[*by, "met", "rejected_id"], right_on=[*by, "met", "who"], nulls_equal=True, suffix="_other"
    )
    total = (pl.col("margin") - pl.col("margin_other")).sum()
    return both.group_by(CELL).agg(implied=(total / pl.len().sqrt()).round(9)).sort(*CELL)


def attach(preferences: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Returns the preferences with the found columns in place of their own; rows that were not found get nulls."""
    new = [name for name in found.columns if name != "pair_id"]
    kept = preferences.drop([name for name in new if name in preferences.columns])
    joined = kept.join(found, on="pair_id", how="left", maintain_order="left")
    order = [name for name in preferences.columns if name in joined.columns]
    return joined.select(*order, *(name for name in new if name not in preferences.columns))
