"""Agreement among the strongest pairs: how much surer the labels are of which a judge is surer.

Source: El-Yaniv and Wiener 2010, JMLR 11 (risk against coverage); Wang et al. 2024, arXiv:2401.06080, section 2.1
(pairs sorted by strength, accuracy by part).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.reports._evidence import GRADED, graded
from tasks.reports._frames import PAIR
from tasks.reports._statistics import Rate, wilson

Floats = npt.NDArray[np.float64]
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


class Kept(NamedTuple):
    """What share of the pairs is kept, the strongest first, and how many of them agree with gold."""

    share: float
    agreed: Rate


def strongest(strength: Floats, agreed: Floats) -> tuple[Kept, ...]:
    """Returns the agreement among the strongest pairs, from all of them down to a tenth.

    Of pairs of one strength, where not all fit in, each counts as far as they do: their order means nothing.

    Args:
        strength: of each pair, in any unit. agreed: 1 or 0, and 1/2 where the judge or the label is a tie.
    """
    if not len(strength):
        return ()
    order = np.argsort(-strength, kind="stable")
    strength, agreed = strength[order], agreed[order]
    found = []
    for share in SHARES:
        room = max(1, round(share * len(strength)))
        edge = strength[room - 1]
        above, level = strength > edge, strength == edge
        hits = agreed[above].sum() + (room - above.sum()) * agreed[level].mean()
        found.append(Kept(share, wilson(float(hits), room)))
    return tuple(found)


def of_verdicts(rows: pl.DataFrame) -> tuple[Kept, ...]:
    """Returns the curve of one judge: the strength of a pair is the mean of its verdicts, over orders and repeats.

    A verdict counts 1, -1 or (tie, contradiction) 0 for the first, or 2 p - 1 where its probability p is known, or its
    margin where that is. Items whose gold label is a tie, and those of which no verdict can be read, are left out.
    """
    said = graded(rows.filter(pl.col("label").is_in([*PAIR]))).with_columns(said=pl.col(GRADED))
    pairs = said.drop_nulls("said").group_by("item_id").agg(pl.col("said").mean(), pl.col("label").first())
    mean = pairs.sort("item_id")["said"].round(9).to_numpy()
    truth = np.where(pairs.sort("item_id")["label"].to_numpy() == "first", 1.0, -1.0)
    return strongest(np.abs(mean), (1 + np.sign(mean) * truth) / 2)


def gain(curve: tuple[Kept, ...], share: float = 0.5) -> float | None:
    """Returns how much more of the strongest share agrees than of all; null without pairs."""
    values = {point.share: point.agreed.value for point in curve}
    whole, part = values.get(1.0), values.get(share)
    return None if whole is None or part is None or math.isnan(part) else part - whole
