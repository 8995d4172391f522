"""Posterior: the probability that the chosen is better, from the judges' audits, their correlation included.

Source: Winkler 1981, Management Science 27 (consensus of dependent sources); Efron 1975, JASA 70 (fitted by logistic
regression); Clemen and Winkler 1985, Operations Research 33 (sources without a common audit).

The model: logit P(chosen better) = logit(prior) + sum over judges of a * verdict + b * place + c * implied. ``verdict``
is the judge's mean signed verdict on the pair over orders and repeats; ``place`` is 1 or -1 where it saw only one
order, so that its love of a place is discounted; ``implied`` is what its verdicts on other pairs of the prompt say
(chosen beat a third, the third beat rejected). The weights are fitted on the gold items that all judges at hand were
audited on, so that a reliable judge weighs more and judges that err together share their weight. Judges without a
common gold set are fitted alone and divided by 1 + (n - 1) * correlation.

Use it for panels of audited judges of unlike quality. It is bad where the audit's items are unlike the pairs at hand,
and it says nothing of how much better the chosen is.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import weighter
from tasks.weighters._margins import CELL, attach, implied, margins
from tasks.weighters._pool import ANSWERS, Audited, Floats, assumed, features, of_audits, weights


@weighter(scope="dataset")
def posterior(
    preferences: pl.DataFrame,
    judgments: pl.DataFrame,
    audits: pl.DataFrame | None = None,
    *,
    judges: list[str] | None = None,
    prior: float = 0.5,
    indirect: bool = True,
    correlation: float = 0.5,
    unaudited_accuracy: float | None = None,
) -> pl.DataFrame:
    """Returns the preferences with ``p_chosen``, null where nobody could judge the pair.

    Swapping chosen and rejected gives 1 - p_chosen (with an even prior).

    Args:
        audits: matched to judges by fingerprint.
        judges: only these; by default all.
        prior: P(chosen better) before any judge is heard.
        indirect: also hear what a judge's verdicts on the prompt's other pairs imply, where its gold set has several
            pairs a prompt to measure that on.
        correlation: of the errors of judges that were not audited on common items, in [0, 1].
        unaudited_accuracy: taken for a judge without an audit, as if measured on 20 pairs; by default that is refused.

    Raises:
        ValueError: a judge was never audited; a parameter is out of range.
    """
    if not 0 < prior < 1 or not 0 <= correlation <= 1:
        raise ValueError(f"prior {prior} must lie in (0, 1) and correlation {correlation} in [0, 1]")
    audited = of_audits(audits)
    measured = any(bool(np.isfinite(record.said[:, 3]).any()) for record in audited.values())
    said = _answers(preferences, judgments, judges, indirect and measured)
    voters = said.select("judge", "fingerprint").unique().sort("judge", "fingerprint").with_row_index("voter")
    records = [
        _record(name, fingerprint, audited, unaudited_accuracy)
        for name, fingerprint in voters.select("judge", "fingerprint").iter_rows()
    ]
    pairs = said["pair_id"].unique().sort()
    cells = said.join(voters, on=["judge", "fingerprint"], nulls_equal=True)
    table = np.full((len(pairs), len(records), len(ANSWERS)), np.nan)
    place = pairs.search_sorted(cells["pair_id"]).to_numpy()
    table[place, cells["voter"].to_numpy()] = cells.select(ANSWERS).cast(pl.Float64).to_numpy()
    logit = _logits(table, records, correlation) + np.log(prior / (1 - prior))
    return attach(preferences, pl.DataFrame({"pair_id": pairs, "p_chosen": 1 / (1 + np.exp(-logit))}))


def _answers(
    preferences: pl.DataFrame, judgments: pl.DataFrame, judges: list[str] | None, indirect: bool
) -> pl.DataFrame:
    """Returns one row per pair and judge: what it said of the chosen one, by kind of answer."""
    said = margins(preferences, judgments, judges).with_columns(pl.col("margin").sign())
    margin = pl.col("margin")
    direct = said.group_by(CELL).agg(
        straight=margin.filter(~pl.col("turned")).mean(), turned=margin.filter("turned").mean(),
        blind=margin.filter(pl.col("turned").is_null()).mean(),
    )  # fmt: skip
    if not indirect:
        return direct.with_columns(implied=pl.lit(None, pl.Float64))
    return direct.join(implied(preferences, judgments, judges), on=CELL, how="left", nulls_equal=True)


def _record(name: str, fingerprint: str | None, audited: dict[str | None, Audited], accuracy: float | None) -> Audited:
    if fingerprint in audited:
        return audited[fingerprint]
    if accuracy is None:
        raise ValueError(
            f"judge {name!r} ({fingerprint}) has no audit; run `pairwright audit {name} --gold FILE`, leave it out "
            "with judges, or say what to take it for with unaudited_accuracy"
        )
    return assumed(accuracy)


def _logits(table: Floats, records: list[Audited], correlation: float) -> Floats:
    """Returns the pooled log-odds of every pair; the weights are fitted once for each pattern of who said what."""
    logits = np.zeros(len(table))
    if not len(table):
        return logits
    heard = ~np.isnan(table)
    for judge, record in enumerate(records):
        # What the audit never saw cannot be weighed.
        heard[:, judge, 3] &= bool(np.isfinite(record.said[:, 3]).any())
    # packed to bytes first: sorting rows of bits one by one takes ten times as long
    packed = np.packbits(heard.reshape(len(table), -1), axis=1)
    _, rows_of, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    for index, pattern in enumerate(heard[rows_of]):
        present = np.flatnonzero(pattern[:, :3].any(axis=1))
        rows = np.flatnonzero(which == index)
        if not len(present):
            continue
        found = weights([records[judge] for judge in present], pattern[present], correlation)
        for weight, voter in zip(found, present, strict=True):
            logits[rows] += features(table[rows, voter], pattern[voter]) @ weight
    return logits
