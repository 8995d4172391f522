"""The pair of each prompt that an ensemble of judges would learn most from.

Source: SEA (arXiv:2411.01493, section 4: dueling Thompson sampling, best-arm identification by variance); APL
(arXiv:2402.08114); Making RL with preference-based feedback efficient via randomization (arXiv:2310.14554, section 4:
ask only where two draws of the reward differ).

Use it with an ensemble, where each label costs and the surest pairs teach least. It is bad as plain training data: it
gathers the pairs that judges disagree on.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from tasks.selectors._ensemble import Members, members
from tasks.selectors._sets import Floats, Ints, first_of, paired, starts, steps


@selector
def active_pairs(
    completions: pl.DataFrame,
    judgments: pl.DataFrame,
    *,
    by: Literal["thompson", "best_arm", "uncertainty", "random"] = "thompson",
    min_std: float = 0.0,
    judges: list[str] | None = None,
    criterion: str | None = None,
    seed: int = 0,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one pair a prompt, the higher mean score chosen; a tie of the means makes no pair.

    ``strength`` is the mean margin over the members of the ensemble, ``strength_std`` its standard deviation
    (population), ``p_chosen`` the mean of sigmoid(margin), ``level`` how the pair was found: ``by``, or ``clash`` where
    all members want the same completion, and it met one drawn by lot.

    Args:
        judgments: pointwise; each judge is a member. A completion that a member could not score is no candidate.
        by: ``thompson``: the favourites of two members drawn by lot. ``best_arm``: one such favourite, and the
            completion whose margin to it the members disagree about most. ``uncertainty``: the two whose margin they
            disagree about most. ``random``: any two.
        min_std: leave out pairs the members agree on more closely than this: only queries worth asking.
        judges: the members; by default all.
        criterion: which scores count, where the judges give several.
        seed: of all lots, which depend on ids alone.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a judge scored by several criteria, and criterion does not say which is meant.
    """
    team = members(completions, judgments, judges, criterion, truncated=truncated)
    begin = starts(team.rows)
    first, second, clash = _ends(team, begin, by, seed)
    real = second >= 0
    first, second, clash = first[real], second[real], clash[real]
    gap = team.scores[first] - team.scores[second]
    mean = gap.mean(axis=1) if gap.size else np.empty(0)
    turn, sd = mean < 0, gap.std(axis=1) if gap.size else np.empty(0)
    one, other = np.where(turn, second, first), np.where(turn, first, second)
    gap = np.where(turn[:, None], -gap, gap)
    keep = (mean != 0) & (sd >= min_std)
    one, other, gap, sd, clash = one[keep], other[keep], gap[keep], sd[keep], clash[keep]
    value = team.scores.mean(axis=1) if team.scores.size else np.empty(0)
    chance = (1 / (1 + np.exp(-gap))).mean(axis=1) if gap.size else np.empty(0)
    level = pl.Series([by, "clash"], dtype=pl.String).gather(clash.astype(np.int64))
    return paired(
        team.rows, one, other, value[one], value[other], criterion=team.rows["criterion"].gather(one),
        strength=value[one] - value[other], strength_std=sd, p_chosen=chance, level=level,
    )  # fmt: skip


def _ends(team: Members, begin: Ints, by: str, seed: int) -> tuple[Ints, Ints, Any]:
    """Returns for each prompt two places, the second -1 where there is none, and whether the members clashed."""
    rows, scores = team.rows, team.scores
    sizes = np.diff(np.r_[begin, rows.height])
    toss = coins(seed, rows["completion_id"], "active")
    lot = _other_first(rows, toss, first_of(rows, toss, begin) if rows.height else begin, begin, sizes)
    none = np.zeros(len(begin), dtype=bool)
    if not rows.height:
        return begin, begin, none
    if by == "random":
        return first_of(rows, toss, begin), lot, none
    if by == "uncertainty":
        return *_widest(rows, scores, begin, sizes), none
    favourites = np.stack([first_of(rows, scores[:, m], begin) for m in range(scores.shape[1])], axis=1)
    turns = _order(rows["prompt_id"].gather(begin), scores.shape[1], seed)
    drawn = np.take_along_axis(favourites, turns, axis=1)
    first = drawn[:, 0]
    if by == "best_arm":
        spread = (np.repeat(scores[first], sizes, axis=0) - scores).std(axis=1)
        spread[first] = -1.0
        second, clash = first_of(rows, spread, begin), np.maximum.reduceat(spread, begin) <= 0
    else:
        differs = drawn != first[:, None]
        second, clash = drawn[np.arange(len(first)), differs.argmax(axis=1)], ~differs.any(axis=1)
    lot = _other_first(rows, toss, first, begin, sizes)
    return first, np.where(clash, lot, second), clash


def _order(prompts: pl.Series, count: int, seed: int) -> Ints:
    tossed = np.stack([coins(seed, prompts, "member", m) for m in range(count)], axis=1)
    order: Ints = np.argsort(tossed, axis=1, kind="stable")
    return order


def _other_first(rows: pl.DataFrame, toss: Floats, first: Ints, begin: Ints, sizes: Ints) -> Ints:
    """Returns for each prompt the place of its first completion by lot but ``first``; -1 where it is alone."""
    if not rows.height:
        return begin
    open_to = toss.copy()
    open_to[first] = -1.0
    found: Ints = np.where(sizes > 1, first_of(rows, open_to, begin), -1)
    return found


def _widest(rows: pl.DataFrame, scores: Floats, begin: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    best = np.full(len(begin), -1.0)
    ends = np.full((2, len(begin)), -1, dtype=np.int64)
    prompt = np.repeat(np.arange(len(begin)), sizes)
    for left, right in steps(rows):
        spread = (scores[left] - scores[right]).std(axis=1)
        order = np.lexsort((left, -spread, prompt[left]))
        own = prompt[left][order]
        top = order[np.r_[True, own[1:] != own[:-1]]]
        group, better = prompt[left][top], spread[top] > best[prompt[left][top]]
        best[group[better]] = spread[top][better]
        ends[:, group[better]] = left[top][better], right[top][better]
    return ends[0], ends[1]
