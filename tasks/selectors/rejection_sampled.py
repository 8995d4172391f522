"""Pairs of what a policy tilted by the reward would have said, drawn from samples of the plain one.

Source: RSO (arXiv:2309.06657, section 3.2 and algorithm 1): 64 samples, 8 kept, beta 0.5.

Use it for pairs near the policy one aims at rather than near the one that sampled. It is bad with few samples or a
small beta: the best texts are then all it keeps.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import noted
from tasks.selectors._candidates import candidates
from tasks.selectors._sets import Floats, Ints, paired, starts


@selector
def rejection_sampled(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    keep: int = 8,
    beta: float = 0.5,
    pairing: Literal["first_round", "tournament"] = "first_round",
    logits: bool = False,
    seed: int = 0,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns pairs of the accepted completions: n // 2 a prompt, or n - 1 in a tournament; fewer where scores tie.

    In each round a completion is accepted with probability exp((score - highest left) / beta), until ``keep`` are there
    or all that are distinct. The accepted are shuffled; neighbours meet, and in a tournament the winners meet again (of
    a tie, which makes no pair, the first goes on; an odd one out waits). ``p_chosen`` is sigmoid(margin); ``meta``
    holds the rounds in which the two were accepted.

    Args:
        beta: in units of the score; near 0 the best are kept, very large ones keep any.
        logits: scores are probabilities of winning; take their logit.
        seed: of the draws, which depend on the ids and the round alone.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: keep is below 2, beta is not above 0, or it is unclear which scores count.
    """
    if keep < 2 or not beta > 0:
        raise ValueError(f"keep is {keep} and beta {beta}; keep must be 2 or more, beta above 0")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    score = rows["score"].to_numpy().astype(np.float64)
    if logits:
        clipped = np.clip(score, 1e-6, 1 - 1e-6)
        score = np.log(clipped / (1 - clipped))
    ids = rows["completion_id"]
    took = accepted(score, starts(rows), keep, beta, lambda turn: coins(seed, ids, "accept", turn))
    kept = np.flatnonzero(took)
    order = kept[np.lexsort((coins(seed, ids.gather(kept), "shuffle"), rows["group"].to_numpy()[kept]))]
    one, other = _bracket(order, rows["group"].to_numpy(), score, again=pairing == "tournament")
    better, worse = np.where(score[one] > score[other], (one, other), (other, one))
    real = score[better] > score[worse]
    better, worse = better[real], worse[real]
    margin = score[better] - score[worse]
    found = paired(
        rows, better, worse, rows["score"].to_numpy()[better], rows["score"].to_numpy()[worse], margin=margin,
        criterion=rows["criterion"].gather(better), p_chosen=1 / (1 + np.exp(-margin)), one=took[better],
        other=took[worse],
    )  # fmt: skip
    notes = {"accept_round": pl.concat_list("one", "other")}
    return noted(found, **notes).drop("one", "other")


def accepted(score: Floats, begin: Ints, keep: int, beta: float, toss: Any) -> Ints:
    """Returns for each row the round in which it was accepted, from 1; 0 for those that were not.

    Args:
        begin: place of the first row of each prompt. toss: round -> a number in [0, 1) a row.
    """
    took = np.zeros(len(score), dtype=np.int64)
    sizes = np.diff(np.r_[begin, len(score)])
    wanted = np.repeat(np.minimum(keep, sizes), sizes)
    have, turn = np.zeros(len(score), dtype=np.int64), 0
    while (live := (have < wanted) & (took == 0)).any():
        turn += 1
        highest = np.repeat(np.maximum.reduceat(np.where(live, score, -np.inf), begin), sizes)
        below = np.minimum(score - highest, 0.0)  # accepted ones may lie above the highest that is left
        hit = live & (toss(turn) < np.exp(below / beta))
        before = np.cumsum(hit) - np.repeat((np.cumsum(hit) - hit)[begin], sizes)
        hit &= have + before <= wanted  # in the order of ids, until enough are there
        took[hit] = turn
        have += np.repeat(np.add.reduceat(hit.astype(np.int64), begin), sizes)
    return took


def _bracket(order: Ints, group: Any, score: Floats, *, again: bool) -> tuple[Ints, Ints]:
    """Returns who meets whom: neighbours of each group in this order, and then their winners."""
    ones, others = [order[:0]], [order[:0]]
    while order.size:
        own = group[order]
        place = np.arange(order.size) - np.searchsorted(own, own)
        even = np.flatnonzero(place[:-1] % 2 == 0) if order.size > 1 else order[:0]
        even = even[own[even] == own[even + 1]]
        one, other = order[even], order[even + 1]
        ones.append(one)
        others.append(other)
        if not again or not even.size:
            break
        out = np.zeros(order.size, dtype=bool)
        out[np.where(score[one] >= score[other], even + 1, even)] = True
        order = order[~out]
    return np.concatenate(ones), np.concatenate(others)
