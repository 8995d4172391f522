"""Win share: how many of the annotators prefer the chosen, and the logit of it as a regression target.

Source: iREPO (arXiv:2405.15230, section 3: logit of the empirical share of h annotators); SPPO (arXiv:2405.00675, data
scripts: P of the pair).

Use it for losses that regress a difference of rewards. It is bad at few annotators: with one the share is 0 or 1.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted
from tasks.weighters._margins import CELL, attach, margins


@weighter
def win_share(
    preferences: pl.DataFrame, judgments: pl.DataFrame, *, clip: float = 0.05, judges: list[str] | None = None,
    temperature: float | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Returns the preferences with ``p_chosen`` (the share of wins) and ``strength`` (its logit after clipping).

    An annotator is a judge with its fingerprint and has one voice, a tie half a win; where its probabilities are known,
    their mean is so much of a win. One that abstained or failed is not among them. ``meta`` holds wins and annotators.
    Null where nobody voted. Swapping a pair negates its strength.

    Args:
        clip: shares are cut to [clip, 1 - clip] before the logit, so that it is finite.
        judges: only these; by default all.
        temperature: two ratings are sigmoid(their difference / temperature) of a win; by default the higher one wins.

    Raises:
        ValueError: clip is not in (0, 0.5), or temperature not above 0.
    """
    if not 0 < clip < 0.5:
        raise ValueError(f"clip is {clip}; it must lie in (0, 0.5), or a logit would be infinite")
    if temperature is not None and not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    margin, rated = pl.col("margin"), pl.col("turned").is_null()
    graded = ~rated & ~margin.is_in([-1.0, 0.0, 1.0])
    voices = margins(preferences, judgments, judges).group_by(CELL, maintain_order=True).agg(
        margin.mean(), _rated=rated.any(), _graded=graded.any()
    )  # fmt: skip
    named = (margin.sign() + 1) / 2
    rating = named if temperature is None else 1 / (1 + (-margin / temperature).exp())
    won = pl.when("_graded").then((margin + 1) / 2).when("_rated").then(rating).otherwise(named)
    found = voices.sort("pair_id", won).group_by("pair_id", maintain_order=True).agg(
        _wins=won.sum(), _annotators=pl.len()
    )  # fmt: skip
    share = pl.col("_wins") / pl.col("_annotators")
    cut = share.clip(clip, 1 - clip)
    found = found.with_columns(p_chosen=share, strength=(cut / (1 - cut)).log())
    made = attach(preferences, found)
    return noted(made, wins=pl.col("_wins"), annotators=pl.col("_annotators")).drop("_wins", "_annotators")
