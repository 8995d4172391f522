"""Preference table: win rates that need no order behind them, for preferences that may go round in circles.

Source: Zhang et al. 2024, arXiv:2410.02197 (general preference model); Wu et al. 2024, arXiv:2405.00675, section 4
(mean probability of winning against the others); Swamy et al. 2024, arXiv:2401.04056 (minimax winner).

Use it where judges may prefer A to B, B to C and C to A; ``pairwright cycles`` says how often they do. It is bad at few
comparisons: it borrows no strength across pairs, which Bradley-Terry does.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl

from schemas.blocks import scorer
from tasks.scorers._cycles import Table, minimax_winner, tables
from tasks.scorers._panel import UNIT, Ties, finish


@scorer
def preference_table(
    judgments: pl.DataFrame,
    *,
    against: Literal["others", "minimax", "majority"] = "others",
    ties: Ties = "half",
    groups: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    """Returns the probability that a completion beats its opponents, each judge with one voice a pair.

    Args:
        judgments: pairwise, and listwise broken into all pairs.
        against: ``others`` is the mean over those it met (Borda); ``minimax`` is against the mixture that nothing
            beats, so that a completion in no cycle's way scores below 1/2 and the members of the best cycle 1/2;
            ``majority`` is the share of those it met that it beats more often than not (Copeland), ties half.
        ties: ``half`` a win to either side, or ``drop`` them.
        groups: group -> its judges; each group is scored apart, as ``preference_table:GROUP``.
    """
    rows = [row for table in tables(judgments, ties, groups) for row in _scores(table, against)]
    kinds = dict.fromkeys([*UNIT, "completion_id"], pl.String)
    frame = pl.DataFrame(rows, {**kinds, "score": pl.Float64, "standard_error": pl.Float64, "judgments": pl.Int64})
    return finish(frame, "preference_table")


def _scores(table: Table, against: str) -> list[dict[str, Any]]:
    met = np.isfinite(table.chance)
    chance = np.nan_to_num(table.chance, nan=0.5)
    if against == "minimax":
        mixture = minimax_winner(table.chance)
        score, weights = chance @ mixture, np.broadcast_to(mixture, chance.shape) * met
    else:
        weights = met / met.sum(axis=1, keepdims=True)
        values = chance if against == "others" else (np.sign(chance - 0.5) + 1) / 2
        score = (values * weights).sum(axis=1)
    # Variance of a share with a flat prior, so that one vote is not certainty; votes of one judge are not told apart.
    share = (chance * table.votes + 1) / (table.votes + 2)
    error = np.sqrt((weights**2 * share * (1 - share) / (table.votes + 3)).sum(axis=1))
    return [
        table.unit | {"completion_id": name, "score": float(score[i]), "standard_error": float(error[i]),
                      "judgments": int(table.votes[i].sum())}
        for i, name in enumerate(table.names)
    ]  # fmt: skip
