"""Dawid-Skene: the hidden right answer and every judge's confusion, each estimated from the other.

Source: Dawid and Skene 1979, Applied Statistics 28; Paun et al. 2018, doi:10.1162/tacl_a_00040 (priors on the tables).
A duel's table says how often a judge names the first shown when the first, or the second, is better: a judge that
always names the first has two equal rows and no influence.

Use it for three judges or more of unlike quality, on many items. Votes alone cannot tell a good judge from one that is
merely consistent (a lover of length): give it audits, which start and anchor the tables. It is bad at correlated
judges without a common audit, whose shared errors look like truth: see ``weight: posterior``.
"""

from __future__ import annotations

import numpy as np
import orjson
import polars as pl

from schemas.blocks import scorer
from tasks.readers.audits import voices
from tasks.scorers._em import Fit, Floats, Votes, fit
from tasks.scorers._panel import UNIT, both_ways, duels, finish, halves, per, ratings

_PLACES = ("first", "second", "tie")


@scorer(scope="dataset")
def dawid_skene(
    judgments: pl.DataFrame,
    audits: pl.DataFrame | None = None,
    *,
    anchor: float = 1.0,
    most_levels: int = 12,
    groups: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    """Returns, from duels, the mean probability of being better than an opponent; from ratings, the expected rating.

    A tie is an answer like the others: how much it says depends on how the judge uses it; a probability p is a vote of
    p one way and of 1 - p the other. Judges whose common audit shows that they err together share their voices, so that
    shared errors do not look like truth. The standard error is that of the hidden answer given the tables.

    Args:
        judgments: pairwise, listwise broken into pairs, and pointwise of few levels.
        audits: a judge's audit anchors its table for duels, and several tell who errs together; judges are matched by
            fingerprint.
        anchor: how much an audit weighs, as a multiple of all the judge's votes here (at least its own count).
        most_levels: more distinct ratings than this are refused: they are no classes; use ``mean`` or ``median``.
        groups: group -> its judges; each group is scored apart, as ``dawid_skene:GROUP``.
    """
    votes, rated = duels(judgments, groups), ratings(judgments, groups)
    parts = [_duels(part, audits, anchor) for _, part in votes.group_by("criterion", "group", maintain_order=True)]
    parts += [_ratings(part, most_levels) for _, part in rated.group_by("criterion", "group", maintain_order=True)]
    empty = rated.select(*UNIT, "completion_id", "score", judgments=pl.lit(0), standard_error="score").clear()
    return finish(pl.concat([empty, *parts], how="vertical_relaxed"), "dawid_skene")


def _duels(votes: pl.DataFrame, audits: pl.DataFrame | None, anchor: float) -> pl.DataFrame:
    votes = halves(votes)
    votes = votes.sort(votes.columns)
    pairs = votes.select(*UNIT, "one", "other").unique(maintain_order=True).with_row_index("pair")
    voters = votes.select("judge", "fingerprint").unique(maintain_order=True).with_row_index("voter")
    joined = votes.join(pairs, on=[*UNIT, "one", "other"], maintain_order="left").join(
        voters, on=["judge", "fingerprint"], nulls_equal=True, maintain_order="left"
    )
    turned = joined["turned"].to_numpy().astype(np.int64)
    answer = joined["won"].replace_strict({1.0: 0, 0.0: 1, 0.5: 2}, return_dtype=pl.Int64).to_numpy()
    arrays = Votes(
        joined["pair"].to_numpy().astype(np.int64), joined["voter"].to_numpy().astype(np.int64),
        np.where(answer < 2, answer ^ turned, answer), np.column_stack([turned, 1 - turned]),
        joined["share"].to_numpy(),
    )  # fmt: skip
    prior, start = _prior(voters, audits, np.bincount(arrays.voter), anchor)
    alike = voices(voters["fingerprint"].to_list(), audits)
    whole = np.array([alike.get(name, 1.0) for name in voters["fingerprint"]])
    fitted: Fit = fit(arrays, prior, even=True, start=start, whole=whole)
    chance = pl.Series("won", fitted.posterior[:, 0])
    counts = joined.group_by("pair", maintain_order=True).agg(votes=pl.col("share").sum().round().cast(pl.Int64))
    counts = counts.sort("pair").select("votes")
    sides = both_ways(pairs.with_columns(chance).hstack(counts), "votes")
    return per(sides, *UNIT, "completion_id").agg(
        score=pl.col("won").mean(), judgments=pl.col("votes").sum(),
        standard_error=(pl.col("won") * (1 - pl.col("won"))).sum().sqrt() / pl.len(),
    )  # fmt: skip


def _prior(
    voters: pl.DataFrame, audits: pl.DataFrame | None, votes: np.ndarray, anchor: float
) -> tuple[Floats, Floats | None]:
    """Returns pseudo-counts of every judge's table, and the tables to start from where any judge was audited.

    A judge without an audit is taken to be slightly better than chance. In a panel of which some are audited it starts
    from a table that says nothing, so that the audited ones decide what is right.
    """
    weak = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0]])
    prior = np.tile(weak, (voters.height, 1, 1))
    start = np.full_like(prior, 1 / 3)
    known = audited(audits)
    for voter, fingerprint in enumerate(voters["fingerprint"]):
        counts = known.get(fingerprint)
        if counts is None or not counts.sum(axis=1).all():
            continue
        counts = counts + 0.5
        start[voter] = counts / counts.sum(axis=1, keepdims=True)
        prior[voter] = start[voter] * max(counts.sum(), anchor * votes[voter]) / 2
    return prior, start if not np.allclose(start, 1 / 3) else None


def audited(audits: pl.DataFrame | None) -> dict[str | None, Floats]:
    """Returns fingerprint -> (truth x answer) counts, the places shown, summed over the gold sets of its audits."""
    found: dict[str | None, Floats] = {}
    if audits is None or not audits.height:
        return found
    latest = audits.sort("created_at") if "created_at" in audits.columns else audits
    latest = latest.unique(["fingerprint", "gold_hash"], keep="last", maintain_order=True)
    for fingerprint, meta in latest.select("fingerprint", "meta").iter_rows():
        table = orjson.loads(meta or "{}").get("reliability")
        if table:
            counts = np.array([[float(table[truth][answer]) for answer in _PLACES] for truth in _PLACES[:2]])
            found[fingerprint] = found.get(fingerprint, np.zeros((2, 3))) + counts
    return found


def _ratings(rated: pl.DataFrame, most_levels: int) -> pl.DataFrame:
    rated = rated.sort(rated.columns)
    levels = rated["score"].unique().sort()
    if len(levels) > most_levels:
        raise ValueError(
            f"{len(levels)} distinct ratings are no classes for Dawid-Skene (at most {most_levels}); use mean or median"
        )
    things = rated.select(*UNIT, "completion_id").unique(maintain_order=True).with_row_index("thing")
    joined = rated.join(things, on=[*UNIT, "completion_id"], maintain_order="left")
    voter = joined.select(pl.struct("judge", "fingerprint").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    answer = np.searchsorted(levels.to_numpy(), joined["score"].to_numpy())
    size = len(levels)
    votes = Votes(
        joined["thing"].to_numpy().astype(np.int64), voter, answer, np.tile(np.arange(size), (len(answer), 1))
    )
    prior = np.tile(np.eye(size) + 1 / size, (int(voter.max()) + 1, 1, 1))
    posterior = fit(votes, prior).posterior
    expected = posterior @ levels.to_numpy()
    spread = posterior @ levels.to_numpy() ** 2 - expected**2
    counts = joined.group_by("thing", maintain_order=True).len("judgments").sort("thing")["judgments"]
    return things.select(*UNIT, "completion_id").with_columns(
        pl.Series("score", expected), counts, pl.Series("standard_error", np.sqrt(np.maximum(spread, 0.0)))
    )
