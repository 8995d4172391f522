"""Annotators sorted into groups that agree with themselves, and each group's own preferences.

Source: MaxMin-RLHF (arXiv:2402.08925, section 4 and algorithm 2: expectation maximisation with hard assignment of each
annotator to the reward that makes their labels likeliest).

Use it where people differ in taste, not in care, and many pairs were judged by several of them. It is bad with few
votes an annotator: groups then fit noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import noted
from tasks.selectors._duels import duels
from tasks.selectors._sets import held

STARTS, ROUNDS = 8, 100


@selector(scope="dataset")
def annotator_groups(
    completions: pl.DataFrame,
    judgments: pl.DataFrame,
    *,
    groups: int = 2,
    least: int = 1,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns for each group the pairs its annotators judged, chosen by their majority; a tie makes no pair.

    ``annotator_group`` is ``group-1``, ``group-2``, … from the largest; ``p_chosen`` the group's share of votes with
    one vote added to each side; ``meta`` holds the number of its annotators and how many of them judged the pair.
    A group's reward is that table of shares, so annotators are told apart by pairs that several of them judged.

    Args:
        judgments: pairwise; an annotator is a judge with its fingerprint, with one voice a pair.
        groups: how many to look for; empty ones vanish.
        least: annotators with fewer pairs are left out.
        seed: of the first assignments; of eight, the likeliest result counts.
        criterion: which verdicts count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: groups is below 1.
    """
    if groups < 1:
        raise ValueError(f"groups is {groups}; at least one is needed")
    ids = held(completions, truncated).select("completion_id", "content_id")
    votes = duels(judgments, criterion)
    for end in ("one", "other"):
        votes = votes.join(ids.rename({"completion_id": end, "content_id": f"{end}_text"}), on=end)
    votes = votes.filter(pl.col("one_text") != pl.col("other_text"))
    votes = votes.with_columns(who=pl.concat_str("judge", pl.lit("\0"), "fingerprint"))
    votes = votes.filter(pl.len().over("who") >= least).sort("who", "prompt_id", "one", "other")
    people = votes["who"].unique(maintain_order=True)
    votes = votes.with_columns(
        person=pl.col("who").rle_id(), pair=pl.struct("prompt_id", "one", "other").rank("dense").cast(pl.Int64) - 1
    )
    best = assigned(
        votes["person"].to_numpy(), votes["pair"].to_numpy(), votes["won"].to_numpy(),
        [np.floor(coins(seed, people, turn) * groups).astype(np.int64) for turn in range(STARTS)], groups,
    )  # fmt: skip
    return _pairs(votes.with_columns(group=pl.Series(best, dtype=pl.Int64).gather(votes["person"])))


def assigned(person: Any, pair: Any, won: Any, begins: list[Any], groups: int) -> Any:
    """Returns each person's group in the likeliest of the assignments that hard EM reaches from the given ones."""
    found, highest = begins[0], -np.inf
    for start in begins:
        group = start
        for _ in range(ROUNDS):
            table = likelihoods(person, pair, won, group, groups)
            if (table.argmax(axis=1) == group).all():
                break
            group = table.argmax(axis=1)
        total = table[np.arange(len(group)), group].sum()
        if total > highest + 1e-9:
            found, highest = group, total
    return found


def likelihoods(person: Any, pair: Any, won: Any, group: Any, groups: int) -> Any:
    """Returns the log-likelihood of each person's votes under each group's shares (one vote added to each side)."""
    cell = pair * groups + group[person]
    size = (int(pair.max(initial=-1)) + 1) * groups
    wins, count = (np.bincount(cell, weights, size) for weights in (won, None))
    share = ((wins + 1) / (count + 2)).reshape(-1, groups)[pair]
    each = won[:, None] * np.log(share) + (1 - won[:, None]) * np.log(1 - share)
    return np.stack([np.bincount(person, each[:, g], len(group)) for g in range(groups)], axis=1)


def _pairs(votes: pl.DataFrame) -> pl.DataFrame:
    people = votes.group_by("group").agg(size=pl.col("person").n_unique())
    people = people.sort("size", "group", descending=[True, False])
    people = people.with_columns(annotator_group=pl.format("group-{}", pl.int_range(1, pl.len() + 1)))
    made = votes.group_by("prompt_id", "one", "other", "group", maintain_order=True).agg(
        wins=pl.col("won").sum(), count=pl.len()
    )
    made = made.filter(2 * pl.col("wins") != pl.col("count")).join(people, on="group")
    up = 2 * pl.col("wins") > pl.col("count")
    share = (pl.col("wins") + 1) / (pl.col("count") + 2)
    lean = made.select(
        "prompt_id", "annotator_group", "size", "count",
        chosen_id=pl.when(up).then("one").otherwise("other"), rejected_id=pl.when(up).then("other").otherwise("one"),
        p_chosen=pl.when(up).then(share).otherwise(1 - share),
    ).sort("prompt_id", "annotator_group", "chosen_id", "rejected_id")  # fmt: skip
    return noted(lean, annotators=pl.col("size"), votes=pl.col("count")).drop("size", "count")
