"""Posterior: the probability that the chosen is better, from the judges' audits, their correlation included.

Source: Winkler 1981, Management Science 27 (consensus of dependent sources); Efron 1975, JASA 70 (fitted by logistic
regression); Clemen and Winkler 1985, Operations Research 33 (sources without a common audit); Platt 1999 (a margin's
probability); Rabanser et al. 2019, arXiv:1810.11953 (pairs unlike the audited ones).

The model: logit P(chosen better) = logit(prior) + sum over judges of a * verdict + b * place + c * implied. ``verdict``
is what the judge said of the pair, over orders and repeats: 2 p - 1 of its probability or a reward model's margin,
through a rising map that its audit teaches, else 1, 0 or -1; ``place`` is 1 or -1 where it saw only one order, so that
its love of a place is discounted; ``implied`` is what its verdicts on other pairs of the prompt say (chosen beat a
third, the third beat rejected). The weights are fitted on the gold items that all judges at hand were audited on, ties
of people being halves, so that a reliable judge weighs more and judges that err together share their weight. Judges
without a common gold set are fitted alone and divided by 1 + (n - 1) * correlation.

Use it for panels of audited judges of unlike quality. It is bad where the audit's items are unlike the pairs at hand:
it looks for that, and then claims next to nothing; and it says nothing of how much better the chosen is.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted
from tasks.readers.audits import ANSWERS, VERDICT, Audited, Floats, of_audits
from tasks.weighters._grading import Shape, middle, shape
from tasks.weighters._margins import CELL, attach, implied, margins
from tasks.weighters._pool import ASSUMED, assumed, log_odds
from tasks.weighters._unlike import unlike


@weighter(scope="dataset", texts=True)
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
    widened: float = 0.05,
) -> pl.DataFrame:
    """Returns the preferences with ``p_chosen``, null where nobody could judge the pair.

    Swapping chosen and rejected gives 1 - p_chosen (with an even prior). ``meta`` names under ``unlike`` by what the
    pairs differ from those the judges were audited on, where they do, and under ``audit`` a judge whose answers here
    are graded and were audited as signs only: its signs count, as they were audited.

    Args:
        preferences: where prompt, chosen and rejected are there, they are compared with the audited texts.
        audits: matched to judges by fingerprint.
        judges: only these; by default all.
        prior: P(chosen better) before any judge is heard.
        indirect: also hear what a judge's verdicts on the prompt's other pairs imply, where its gold set has several
            pairs a prompt to measure that on.
        correlation: of the errors of judges that were not audited on common items, in [0, 1].
        unaudited_accuracy: taken for a judge without an audit, as if measured on 20 pairs; by default that is refused.
        widened: what is left of the log-odds of judges that were audited on other pairs than these, in [0, 1]: 1 keeps
            their claims.

    Raises:
        ValueError: a judge was never audited; a parameter is out of range.
    """
    if not 0 < prior < 1 or not 0 <= correlation <= 1 or not 0 <= widened <= 1:
        raise ValueError(f"prior {prior} must lie in (0, 1), correlation {correlation} and widened {widened} in [0, 1]")
    audited = of_audits(audits)
    heard = margins(preferences, judgments, judges)
    voters = heard.select("judge", "fingerprint").unique().sort("judge", "fingerprint").with_row_index("voter")
    records = [
        _record(name, fingerprint, audited, unaudited_accuracy)
        for name, fingerprint in voters.select("judge", "fingerprint").iter_rows()
    ]
    plain = [record.unit == VERDICT and fingerprint in audited
             for record, fingerprint in zip(records, voters["fingerprint"], strict=True)]  # fmt: skip
    signed = voters.with_columns(_plain=pl.Series(plain, dtype=pl.Boolean))
    measured = indirect and any(bool(np.isfinite(record.said[:, 3]).any()) for record in records)
    said = _answers(preferences, judgments, judges, heard, signed, measured)
    pairs = said["pair_id"].unique().sort()
    table = np.full((len(pairs), len(records), len(ANSWERS)), np.nan)
    place = pairs.search_sorted(said["pair_id"]).to_numpy()
    table[place, said["voter"].to_numpy()] = said.select(ANSWERS).cast(pl.Float64).to_numpy()
    strange = unlike(preferences, pairs, table, records)
    factor = np.array([widened if names else 1.0 for names in strange])
    for voter, record in enumerate(records):
        mapped = shape(record) or _unaudited(record, table[:, voter])
        if mapped is not None:
            table[:, voter] = mapped(table[:, voter])
            records[voter] = record._replace(said=mapped(record.said) if record.unit != VERDICT else record.said)
    logit = log_odds(table, records, correlation, factor) + np.log(prior / (1 - prior))
    made = attach(preferences, pl.DataFrame({"pair_id": pairs, "p_chosen": 1 / (1 + np.exp(-logit))}))
    return _noted(made, strange, voters, heard, plain)


def _answers(
    preferences: pl.DataFrame, judgments: pl.DataFrame, judges: list[str] | None, heard: pl.DataFrame,
    voters: pl.DataFrame, indirect: bool,
) -> pl.DataFrame:  # fmt: skip
    """Returns one row per pair and judge: what it said of the chosen, by kind of answer; signs where ``_plain``."""
    margin = pl.col("margin")

    def read(rows: pl.DataFrame) -> pl.DataFrame:
        met = rows.join(voters, on=["judge", "fingerprint"], nulls_equal=True, maintain_order="left")
        return met.with_columns(margin=pl.when("_plain").then(margin.sign()).otherwise(margin))

    direct = read(heard).group_by(*CELL, "voter").agg(
        straight=margin.filter(~pl.col("turned")).mean(), turned=margin.filter("turned").mean(),
        blind=margin.filter(pl.col("turned").is_null()).mean(),
    )  # fmt: skip
    if not indirect:
        return direct.with_columns(implied=pl.lit(None, pl.Float64))
    return direct.join(implied(preferences, judgments, judges, read=read), on=CELL, how="left", nulls_equal=True)


def _record(name: str, fingerprint: str | None, audited: dict[str | None, Audited], accuracy: float | None) -> Audited:
    if fingerprint in audited:
        return audited[fingerprint]
    if accuracy is None:
        raise ValueError(
            f"judge {name!r} ({fingerprint}) has no audit; run `pairwright audit {name} --gold FILE`, leave it out "
            "with judges, or say what to take it for with unaudited_accuracy"
        )
    return assumed(accuracy)


def _unaudited(record: Audited, said: Floats) -> Shape | None:
    """Returns the map for ratings by a judge that nobody audited: 1 at their median difference, and at most 2."""
    ratings = said[:, 2]
    return Shape(middle(ratings)) if record.items[0][0] == ASSUMED and np.isfinite(ratings).any() else None


def _noted(
    made: pl.DataFrame, strange: list[list[str]], voters: pl.DataFrame, heard: pl.DataFrame, plain: list[bool]
) -> pl.DataFrame:
    """Returns the preferences with what must be known of their claims in ``meta``, where there is anything."""
    names = list(dict.fromkeys(name for each in strange for name in each))
    if names:
        claimed = pl.col("p_chosen").is_not_null()
        made = noted(made, unlike=pl.when(claimed).then(pl.lit(", ".join(names))))
    size = heard.filter(~pl.col("margin").is_in([-1.0, 0.0, 1.0])).select("judge", "fingerprint").unique()
    known = voters.filter(pl.Series(plain, dtype=pl.Boolean)).join(size, on=["judge", "fingerprint"], nulls_equal=True)
    if known.height:
        judges = ", ".join(sorted(set(known["judge"])))
        made = noted(made, audit=pl.lit(f"signs only: {judges} was audited without margins; audit again to use them"))
    return made
