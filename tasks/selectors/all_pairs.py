"""Every pair of a prompt's completions whose scores lie far enough apart.

Source: RS-DPO (arXiv:2402.10038, section 3.3): keep (i, j) where sigmoid((r_i - r_j) / tau) > eta; tau 1, eta 0.85.

Use it to get the most from few prompts, with a judge whose margins mean something. It is bad at balance: a prompt with
many samples makes most of the pairs, and its texts recur.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from tasks.selectors._candidates import candidates, first_of_each, pairs


@selector
def all_pairs(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    min_margin: float = 0.0,
    min_probability: float | None = None,
    temperature: float = 1.0,
    per_prompt: int | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns all pairs over the threshold, the higher score chosen: of k completions up to k(k-1)/2 a prompt.

    Args:
        min_margin: the scores must lie further apart than this; a tie never makes a pair.
        min_probability: eta, in [0.5, 1): sigmoid(margin / temperature) must be greater, and is kept in ``p_chosen``.
        temperature: tau, in units of the score.
        per_prompt: at most so many pairs a prompt, those with the largest margins (ties: lowest ids); easy prompts
            would outweigh the others.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: a parameter is out of its range, or it is unclear which scores count.
    """
    if not min_margin >= 0:
        raise ValueError(f"min_margin is {min_margin}; it must be 0 or more")
    if min_probability is not None and not 0.5 <= min_probability < 1:
        raise ValueError(f"min_probability is {min_probability}; it must be in [0.5, 1)")
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    met = _within(rows, min_margin if min_probability is None else max(min_margin, _gap(min_probability, temperature)))
    if min_probability is not None:
        met = met.filter(_probability(temperature) > min_probability)
    if per_prompt is not None:
        order = ["group", "margin", "chosen", "rejected"]
        met = first_of_each(met.sort(order, descending=[False, True, False, False]), per_prompt)
    frame = pairs(rows, met["chosen"], met["rejected"])
    return frame if min_probability is None else frame.with_columns(p_chosen=_probability(temperature))


def _probability(temperature: float) -> pl.Expr:
    return 1 / (1 + (-pl.col("margin") / temperature).exp())


def _gap(probability: float, temperature: float) -> float:
    """Returns a margin a little below the one that gives this probability, so that rounding drops no pair."""
    return temperature * float(np.log(probability / (1 - probability))) * (1 - 1e-9)


def _within(rows: pl.DataFrame, min_margin: float) -> pl.DataFrame:
    """Returns group, chosen, rejected (row numbers) and margin of all pairs of a prompt further apart than the margin.

    Rows are sorted by score within a prompt, so row i meets row i + 1, then i + 2, … while still in its prompt: as many
    steps as the largest prompt has rows, each over whole columns, and no table of all pairs is built before the test.
    """
    rows = rows.sort("group", "score", "row", descending=[False, True, False])
    score, row = rows["score"].to_numpy(), rows["row"].to_numpy()
    left = rows.select(pl.len().over("group") - 1 - pl.int_range(pl.len()).over("group")).to_series().to_numpy()
    start, step = np.arange(len(score), dtype=np.int64), 1
    higher, lower = [start[:0]], [start[:0]]
    while (start := start[left[start] >= step]).size:
        far = start[score[start] - score[start + step] > min_margin]
        higher.append(far)
        lower.append(far + step)
        step += 1
    one, other = np.concatenate(higher), np.concatenate(lower)
    columns = {"chosen": row[one], "rejected": row[other], "margin": score[one] - score[other]}
    return rows.select("group")[one].with_columns(**{name: pl.Series(values) for name, values in columns.items()})
