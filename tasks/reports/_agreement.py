"""How often two labellings agree: with ties, without them, beyond chance, and how that depends on the slice.

Source: Zheng et al. 2023, arXiv:2306.05685, section 4.2 (agreement with and without ties); Cohen 1960 (kappa); Liu et
al. 2024, arXiv:2410.16184, and Kim et al. 2024, arXiv:2410.01729 (one right among many); Shen et al. 2023,
arXiv:2309.16155 (contrast consistency).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tasks.reports._frames import FAILED, between_votes, both_orders
from tasks.reports._statistics import alpha, kappa, wilson

SLICES = ("task", "language", "subset")


def agreement(pairs: pl.DataFrame, one: str, other: str, *, seed: int = 0) -> dict[str, Any]:
    """Returns the agreement of two label columns; a failure agrees with nothing.

    ``all`` counts every case, ``decided`` those where both name a winner, ``valid`` those where nothing failed.
    """
    known = pairs.drop_nulls([one, other])
    same = pl.col(one) == pl.col(other)
    undecided = [FAILED, "tie"]
    decided = known.filter(~pl.col(one).is_in(undecided) & ~pl.col(other).is_in(undecided))
    valid = known.filter((pl.col(one) != FAILED) & (pl.col(other) != FAILED))
    rates = {
        name: wilson(int(frame.select(same.sum()).item() or 0), frame.height)
        for name, frame in (("all", known), ("decided", decided), ("valid", valid))
    }
    clusters = known["item_id"].to_list() if known["item_id"].n_unique() < known.height else None
    return {**rates, "kappa": kappa(known[one].to_list(), known[other].to_list(), clusters, seed=seed)}


def ceiling(gold: pl.DataFrame, *, seed: int = 0) -> dict[str, Any]:
    """Returns how far people agree with each other, as ``agreement`` does, with Krippendorff's alpha."""
    found = agreement(between_votes(gold), "one", "other", seed=seed)
    votes = gold.drop_nulls(["label", "annotator"]).select("item_id", "annotator", "label")
    return {**found, "alpha": alpha(votes.rows()) if found["all"].n else None}


def order(rows: pl.DataFrame) -> dict[str, Any]:
    """Returns how often both orders are judged the same, and where the winner lies when they name two.

    ``agreement`` is of all comparisons shown in both orders: an unreadable reply agrees with nothing, nor with another
    one; ``agreement_read`` is of those whose both replies can be read. ``to_first`` is the share, among contradictions,
    that named whichever was shown first.
    """
    shown = both_orders(rows)
    pairs = shown.filter((pl.col("straight") != FAILED) & (pl.col("turned") != FAILED))
    same = pairs.filter(pl.col("straight") == pl.col("turned")).height
    primacy = pairs.filter((pl.col("straight") == "first") & (pl.col("turned") == "second")).height
    recency = pairs.filter((pl.col("straight") == "second") & (pl.col("turned") == "first")).height
    ready = rows.filter(pl.col("swapped").is_null())
    flipped = ready.filter(pl.col("outcome") == "contradicted").height
    return {
        "agreement": wilson(same, shown.height),
        "agreement_read": wilson(same, pairs.height),
        "contradicted": wilson(primacy + recency + flipped, shown.height + ready.height),
        "to_first": wilson(primacy, primacy + recency),
    }


def grouped(rows: pl.DataFrame, group: str) -> dict[str, Any]:
    """Returns the share of groups in which every verdict is right; a contrast needs two items.

    ``mrr`` is the mean of 1 over the rank of the right answer among those it was compared with: a wrong answer that is
    not beaten, a tie with it included, stands above.

    Args:
        group: ``many_id`` or ``contrast_id``.
    """
    known = rows.drop_nulls([group, "label"])
    beaten = pl.col("read").eq_missing(pl.col("label"))
    items = known.group_by(group, "item_id").agg(right=beaten.all())
    groups = items.group_by(group).agg(items=pl.len(), right=pl.col("right").all(), above=(~pl.col("right")).sum())
    whole = groups if group == "many_id" else groups.filter(pl.col("items") >= 2)
    rank = {"mrr": (1 / (1 + whole["above"])).mean()} if group == "many_id" else {}
    return {"accuracy": wilson(int(whole["right"].sum()), whole.height), "groups": whole.height} | rank


def slices(rows: pl.DataFrame, *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Returns slice column -> its value -> agreement with the gold label and of the two orders."""
    found: dict[str, dict[str, Any]] = {}
    for name in SLICES:
        values = sorted(rows[name].drop_nulls().unique().to_list())
        if not values:
            continue
        parts = {value: rows.filter(pl.col(name) == value) for value in values}
        found[name] = {
            value: {**agreement(part, "read", "label", seed=seed), "order": order(part)["agreement"]}
            for value, part in parts.items()
        }
    return found
