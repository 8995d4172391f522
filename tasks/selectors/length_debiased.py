"""The best against the worst of each prompt once length is charged for, at the price that makes both equally long.

Source: DICE (arXiv:2406.09760, section 3.2 and its data scripts: score - alpha * length, alpha from 0 to 1 by 0.001,
the one with the least mean difference of lengths).

Use it with judges that like length. It is bad where the longer answers are the better ones: the price takes that away
too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates
from tasks.selectors._sets import Floats, Ints, first_of, paired, starts


@selector(scope="dataset")
def length_debiased(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    highest: float = 1.0,
    step: float = 0.001,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt, its highest over its lowest debiased score; ``meta`` holds price and gap.

    Every price from 0 to ``highest`` is looked at and the lowest of the best is taken: the gap is not monotone, so
    stopping where it first grows would miss better ones. The pair's scores are the debiased ones.

    Args:
        completions: ``characters`` is the length where it is there; else the number of tokens.
        highest, step: prices, in units of score a character.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: no length is known, a parameter is out of range, or it is unclear which scores count.
    """
    if not 0 < step <= highest:
        raise ValueError(f"step is {step} and highest {highest}; 0 < step <= highest is needed")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    lengths = completions.select("completion_id", length=_length(completions))
    rows = rows.join(lengths, on="completion_id", maintain_order="left")
    if rows["length"].null_count():
        raise ValueError(f"completion {rows.filter(pl.col('length').is_null())['completion_id'][0]} has no length")
    score, length = rows["score"].to_numpy(), rows["length"].to_numpy().astype(np.float64)
    begin, prices = starts(rows), np.arange(round(highest / step) + 1).astype(np.float64) * step
    gaps = (ends(rows, score, length, begin, prices) - ends(rows, -score, -length, begin, prices)) / max(len(begin), 1)
    price = float(prices[np.abs(np.round(gaps, 9)).argmin()])
    charged = score - price * length
    best, worst = first_of(rows, charged, begin), first_of(rows, -charged, begin)
    real = charged[best] > charged[worst]
    best, worst = best[real], worst[real]
    made = paired(rows, best, worst, charged[best], charged[worst], criterion=rows["criterion"].gather(best))
    gap = float((length[best] - length[worst]).mean()) if len(best) else 0.0
    return noted(made, length_price=pl.lit(price), length_gap=pl.lit(gap))


def _length(completions: pl.DataFrame) -> pl.Expr:
    for name in ("characters", "completion_tokens"):
        if name in completions.columns:
            return pl.col(name)
    raise ValueError("completions have neither characters nor completion_tokens, so their lengths are not known")


def ends(rows: pl.DataFrame, score: Floats, length: Floats, begin: Ints, prices: Floats) -> Any:
    """Returns for every price the sum over prompts of |length| of what has the highest ``score - price * length``.

    Each completion is a line that falls with the price; the highest line of a prompt changes only where a shorter
    completion overtakes it. All prompts walk from one such point to the next at the same time, so the work grows with
    the completions of a prompt, not with the prices.
    """
    total = np.zeros(len(prices))
    if not rows.height:
        return total
    sizes = np.diff(np.r_[begin, rows.height])
    now = first_of(rows, score, begin)
    total[0] += np.abs(length[now]).sum()
    while True:
        shorter = np.repeat(length[now], sizes) - length
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.where(shorter > 0, (np.repeat(score[now], sizes) - score) / shorter, np.inf)
        first = np.minimum.reduceat(meet, begin)
        if not (first < prices[-1]).any():
            return np.cumsum(total)
        tied = meet <= np.repeat(first, sizes)
        then = first_of(rows, np.where(tied, shorter, -np.inf), begin)
        moves = first < prices[-1]
        place = np.searchsorted(prices, first[moves] * (1 + 1e-12), side="right")
        place = np.minimum(place, len(prices) - 1)
        np.add.at(total, place, (np.abs(length[then]) - np.abs(length[now]))[moves])
        now = np.where(moves, then, now)
