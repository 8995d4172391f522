"""What a panel said: judgments as duels, ratings and rankings, and the frame every scorer of a panel returns.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.4 (two orders); Azari Soufiani et al. 2013, arXiv:1306.6155 (a
ranking broken into all its pairs estimates Plackett-Luce consistently).

Only ``valid`` and ``tie`` count. A failed, refused or unreadable judgment is no vote: not a tie, not nought. A
contradicted comparison is two votes against each other. A comparison whose other order failed is one vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import orjson
import polars as pl
from polars.dataframe.group_by import GroupBy

Ties = Literal["half", "drop"]
Groups = Mapping[str, Sequence[str]]

UNIT = ["prompt_id", "criterion", "group"]
"""What is scored together: one prompt's completions by one criterion, by one group of judges."""

JUDGE = ["judge", "fingerprint"]
"""Who one judge is: several of one name (an ensemble of reward models, one judge with several rubrics) are several."""

_OPTIONAL = {"score": pl.Float64, "winner": pl.String, "probability": pl.Float64, "fingerprint": pl.String,
             "comparison_id": pl.String, "meta": pl.String}  # fmt: skip


def counted(judgments: pl.DataFrame, groups: Groups | None = None) -> pl.DataFrame:
    """Returns the judgments that count, each with the group of its judge (empty where judges are not grouped).

    Raises:
        ValueError: a judge is in two groups.
    """
    named = {judge: group for group, judges in (groups or {}).items() for judge in judges}
    if len(named) < sum(len(judges) for judges in (groups or {}).values()):
        raise ValueError("a judge stands in two groups; groups keep judges apart")
    # a column of nulls read from a test or a file has no type of its own
    typed = [
        (pl.col(name) if name in judgments.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in _OPTIONAL.items()
    ]
    group = pl.col("judge").replace_strict(named, default="others" if named else "", return_dtype=pl.String)
    return judgments.with_columns(*typed).filter(pl.col("outcome").is_in(["valid", "tie"])).with_columns(group=group)


def ratings(judgments: pl.DataFrame, groups: Groups | None = None) -> pl.DataFrame:
    """Returns one row per pointwise score that counts: unit, ``completion_id``, judge, fingerprint, ``score``."""
    return (
        counted(judgments, groups).filter(pl.col("kind") == "pointwise", pl.col("score").is_finite())
        .select(*UNIT, pl.col("subjects").list.first().alias("completion_id"), "judge", "fingerprint", "score")
    )  # fmt: skip


def duels(judgments: pl.DataFrame, groups: Groups | None = None) -> pl.DataFrame:
    """Returns one row per vote on a pair: unit, ``one`` < ``other``, judge, fingerprint, ``turned``, ``won``.

    ``turned``: the other was shown first. ``won``: the judge's probability that ``one`` is better where it is known,
    else 1 where ``one`` won, 0 where the other did, 1/2 for a tie. A ranking gives the votes of all its pairs.

    Raises:
        ValueError: a valid pairwise judgment whose winner is not one of its subjects.
    """
    rows = counted(judgments, groups)
    pairs = rows.filter(pl.col("kind") == "pairwise").select(
        *UNIT, "judge", "fingerprint", "outcome", "winner", "probability",
        first=pl.col("subjects").list.get(0), second=pl.col("subjects").list.get(1),
    )  # fmt: skip
    stray = pairs.filter(
        pl.col("outcome") == "valid",
        pl.col("winner").is_null() | ~((pl.col("winner") == pl.col("first")) | (pl.col("winner") == pl.col("second"))),
    )
    if stray.height:
        raise ValueError(f"winner {stray['winner'][0]!r} is neither {stray['first'][0]!r} nor {stray['second'][0]!r}")
    votes = pl.concat([pairs, _broken(rows)], how="diagonal")
    turned = pl.col("first") > pl.col("second")
    one = pl.min_horizontal("first", "second")
    sure = pl.when(turned).then(1 - pl.col("probability")).otherwise("probability")
    named = pl.when(pl.col("outcome") == "tie").then(0.5).otherwise((pl.col("winner") == one).cast(pl.Float64))
    won = pl.coalesce(sure, named)
    return votes.select(
        *UNIT, one.alias("one"), pl.max_horizontal("first", "second").alias("other"), "judge", "fingerprint",
        turned.alias("turned"), won.alias("won"),
    )  # fmt: skip


def rankings(judgments: pl.DataFrame, groups: Groups | None = None) -> pl.DataFrame:
    """Returns one row per ranking: unit, judge, fingerprint, ``share``, and ``tiers``, ids from best to worst.

    A listwise judgment holds its ranking in ``meta`` as ``{"ranking": [id, [tied, tied], id, …]}``, best first. A pair
    is a ranking of two; with a probability it is two rankings, which share one vote.
    """
    rows = counted(judgments, groups)
    listwise = rows.filter(pl.col("kind") == "listwise").select(*UNIT, *JUDGE, "meta")
    pairs = halves(duels(judgments.filter(pl.col("kind") == "pairwise"), groups))
    tiers = [_tiers(meta) for meta in listwise["meta"]]
    tiers += [
        [[one, other]] if won == 0.5 else [[one], [other]] if won > 0.5 else [[other], [one]]
        for one, other, won in pairs.select("one", "other", "won").iter_rows()
    ]
    whole = pl.concat([listwise.drop("meta").with_columns(share=pl.lit(1.0)), pairs.select(*UNIT, *JUDGE, "share")])
    return whole.with_columns(pl.Series("tiers", tiers, dtype=pl.List(pl.List(pl.String))))


def halves(votes: pl.DataFrame) -> pl.DataFrame:
    """Returns the votes as whole ones: a probability p becomes a vote of ``share`` p and one of 1 - p the other way."""
    graded = ~pl.col("won").is_in([0.0, 0.5, 1.0])
    whole = votes.filter(~graded).with_columns(share=pl.lit(1.0))
    split = votes.filter(graded)
    return pl.concat([
        whole, split.with_columns(won=pl.lit(1.0), share="won"),
        split.with_columns(won=pl.lit(0.0), share=1 - pl.col("won")),
    ])  # fmt: skip


def _tiers(meta: str | None) -> list[list[str]]:
    ranking = orjson.loads(meta).get("ranking", []) if meta else []
    return [list(place) if isinstance(place, list) else [place] for place in ranking]


def _broken(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the votes of all pairs of every ranking, the better one named first."""
    found = []
    for row in rows.filter(pl.col("kind") == "listwise").iter_rows(named=True):
        tiers = _tiers(row["meta"])
        kept = {name: row[name] for name in (*UNIT, "judge", "fingerprint")}
        flat = [(place, name) for place, tier in enumerate(tiers) for name in tier]
        for index, (place, first) in enumerate(flat):
            for lower, second in flat[index + 1 :]:
                tied = lower == place
                found.append(kept | {"outcome": "tie" if tied else "valid", "winner": None if tied else first,
                                     "first": first, "second": second})  # fmt: skip
    names = (*UNIT, "judge", "fingerprint", "outcome", "winner", "first", "second")
    return pl.DataFrame(found, schema=dict.fromkeys(names, pl.String))


def by_judge(votes: pl.DataFrame, ties: Ties) -> pl.DataFrame:
    """Returns one row per pair and judge: ``won``, the mean of its votes over orders and repeats, and ``votes``.

    A judge has one voice a pair, however often it was asked.
    """
    kept = votes if ties == "half" else votes.filter(pl.col("won") != 0.5)
    return per(kept, *UNIT, "one", "other", *JUDGE).agg(pl.col("won").mean(), pl.len().alias("votes"))


def per(rows: pl.DataFrame, *keys: str) -> GroupBy:
    """Returns the rows grouped, sorted before: a sum of floats depends on its order, and rows come in any."""
    return rows.sort([*keys, *(name for name in rows.columns if name not in keys)]).group_by(keys, maintain_order=True)


def both_ways(pairs: pl.DataFrame, *values: str) -> pl.DataFrame:
    """Returns every pair from either side: ``completion_id``, ``against``, ``won`` of the former, and ``values``."""
    sides = [
        pairs.select(*UNIT, pl.col(mine).alias("completion_id"), pl.col(theirs).alias("against"), won, *values)
        for mine, theirs, won in (("one", "other", pl.col("won")), ("other", "one", (1 - pl.col("won")).alias("won")))
    ]
    return pl.concat(sides)


def finish(rows: pl.DataFrame, scorer: str) -> pl.DataFrame:
    """Returns rows of the scores table, sorted; ``quantile`` is the share of the unit that lies below, ties half.

    Args:
        rows: unit, completion_id, score, judgments and, where known, standard_error. Rows without a score go.
    """
    if "standard_error" not in rows.columns:
        rows = rows.with_columns(standard_error=pl.lit(None, pl.Float64))
    known = rows.filter(pl.col("score").is_not_null())
    place = (pl.col("score").rank("average") - 0.5) / pl.len()
    return known.select(
        "completion_id", "prompt_id", "criterion",
        pl.when(pl.col("group") == "").then(pl.lit(scorer)).otherwise(pl.format("{}:{}", pl.lit(scorer), "group"))
        .alias("scorer"),
        pl.col("score").cast(pl.Float64), pl.col("judgments").cast(pl.Int64),
        pl.col("standard_error").cast(pl.Float64), quantile=place.over(UNIT),
    ).sort("prompt_id", "completion_id", "criterion", "scorer")  # fmt: skip
