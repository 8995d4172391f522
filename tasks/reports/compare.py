"""Several datasets over the same stored answers, side by side: yield, overlap, margins, lengths, agreement with people.

Source: Jaccard 1901 (shared over all); comparisons of pair construction over one set of samples as in arXiv:2502.16825,
section 4, and arXiv:2410.23223, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import polars as pl

from tasks.reports._statistics import Rate, wilson
from tasks.reports.figures import histogram, length_choice

NUMBERS = ("margin", "strength", "p_chosen", "weight")
_SAID = pl.element().struct.field("content").fill_null("")
_TEXTS = [pl.col(side).list.eval(_SAID).list.join("\n").alias(side) for side in ("prompt", "chosen", "rejected")]


def lean(pairs: pl.LazyFrame) -> pl.DataFrame:
    """Returns one row a pair without its texts: ids, numbers, characters, and what tells equal pairs.

    ``key`` is of the prompt and both texts, ``turned`` of the same pair the other way round, ``said`` and
    ``said_turned`` of the prompt's text in place of its id, to find the pair in data from elsewhere.
    """
    there = pairs.collect_schema().names()
    numbers = [pl.col(name) if name in there else pl.lit(None, pl.Float64).alias(name) for name in NUMBERS]
    ids = ("pair_id", "prompt_id", "chosen_id", "rejected_id")
    keys = {
        "key": ("prompt_id", "chosen", "rejected"), "turned": ("prompt_id", "rejected", "chosen"),
        "said": ("prompt", "chosen", "rejected"), "said_turned": ("prompt", "rejected", "chosen"),
    }  # fmt: skip
    rows = pairs.select(*ids, *numbers, *_TEXTS).with_columns(hashed(*columns).alias(n) for n, columns in keys.items())
    sizes = [pl.col(side).str.len_chars().alias(f"{side}_chars") for side in ("chosen", "rejected")]
    return rows.with_columns(sizes).drop("prompt", "chosen", "rejected").collect(engine="streaming").sort("pair_id")


def hashed(prompt: str, one: str, other: str) -> pl.Expr:
    """Returns what is the same for the same three texts, in these places."""
    return pl.struct(pl.col(prompt).alias("p"), pl.col(one).alias("a"), pl.col(other).alias("b")).hash()


def measures(rows: pl.DataFrame, *, prompts: int | None = None) -> dict[str, Any]:
    """Returns the numbers of one dataset.

    Args:
        rows: as ``lean`` gives them. prompts: that the run was given; null where not known.
    """
    known = rows["prompt_id"].n_unique()
    sizes = {side: rows[f"{side}_chars"] for side in ("chosen", "rejected")}
    return {
        "pairs": rows.height, "prompts": known, "of_prompts": prompts,
        "yield": known / prompts if prompts else None,
        "pairs_a_prompt": rows.height / known if known else None,
        "chosen_chars": _mean(sizes["chosen"]), "rejected_chars": _mean(sizes["rejected"]),
        "longer": length_choice(sizes["chosen"], sizes["rejected"])["all"],
        **{name: _mean(rows[name]) for name in NUMBERS},
        "histograms": {name: found for name in ("margin", "strength") if (found := histogram(rows[name]))},
    }  # fmt: skip


def overlaps(datasets: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """Returns for each two datasets how many pairs they share, how many they turn round, and Jaccard's shares.

    ``jaccard`` is of pairs (prompt, chosen and rejected texts), ``prompts`` of prompts; null where both are empty.
    """
    found = []
    for (a, one), (b, other) in combinations(datasets.items(), 2):
        left, right = one.unique("key"), other.unique("key")
        shared = left.join(right, on="key", how="semi").height
        found.append({
            "a": a, "b": b, "shared": shared,
            "opposed": left.join(right, left_on="key", right_on="turned", how="semi").height,
            "jaccard": _share(shared, left.height + right.height - shared),
            "prompts": _prompts_shared(one, other),
        })  # fmt: skip
    return found


def opposed(datasets: Mapping[str, pl.DataFrame], most: int = 5) -> list[dict[str, str]]:
    """Returns pairs that two datasets hold the other way round: both names and the pair's id in the first."""
    found: list[dict[str, str]] = []
    for (a, one), (b, other) in combinations(datasets.items(), 2):
        rows = one.join(other, left_on="key", right_on="turned", how="semi").sort("pair_id").head(most - len(found))
        found += [{"a": a, "b": b, "pair_id": pair_id} for pair_id in rows["pair_id"]]
        if len(found) >= most:
            break
    return found


def against_ratings(rows: pl.DataFrame, ratings: pl.DataFrame) -> Rate:
    """Returns how often the chosen is the one that people rated higher; equal and missing ratings are left out.

    Args:
        rows: as ``lean`` gives them. ratings: ``completion_id``, ``rating``.
    """
    known = ratings.unique("completion_id")
    sides = rows.join(known, left_on="chosen_id", right_on="completion_id").join(
        known, left_on="rejected_id", right_on="completion_id", suffix="_rejected"
    )
    decided = sides.filter(pl.col("rating") != pl.col("rating_rejected"))
    return wilson(float((decided["rating"] > decided["rating_rejected"]).sum()), decided.height)


def against_gold(rows: pl.DataFrame, items: pl.DataFrame) -> Rate:
    """Returns how often a pair that people compared is the way round they decided; ties are left out.

    Args:
        rows: as ``lean`` gives them. items: ``prompt``, ``first``, ``second`` (texts), ``label``, one row an item.
    """
    decided = items.filter(pl.col("label").is_in(["first", "second"])).drop_nulls(["prompt", "first", "second"])
    first = pl.col("label") == "first"
    won = decided.select(
        "prompt", chosen=pl.when(first).then("first").otherwise("second"),
        rejected=pl.when(first).then("second").otherwise("first"),
    ).select(said=hashed("prompt", "chosen", "rejected")).unique()  # fmt: skip
    right = rows.join(won, on="said", how="semi").height
    return wilson(float(right), right + rows.join(won, left_on="said_turned", right_on="said", how="semi").height)


def _prompts_shared(one: pl.DataFrame, other: pl.DataFrame) -> float | None:
    left, right = one.select("prompt_id").unique(), other.select("prompt_id").unique()
    shared = left.join(right, on="prompt_id", how="semi").height
    return _share(shared, left.height + right.height - shared)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: pl.Series) -> float | None:
    found = values.cast(pl.Float64).drop_nulls().drop_nans().mean()
    return found if isinstance(found, float) else None
