"""Bradley-Terry: one strength a completion, from who beat whom, with its standard error.

Source: Bradley and Terry 1952, Biometrika 39; maximum a posteriori with a normal prior; ties count as half a win to
either side.

Use it where pairs are compared unevenly: it weighs a win by whom it was won against. It is bad at cyclic preferences,
which no single number can hold: see ``preference_table``.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import scorer
from tasks.scorers._likelihood import pairs
from tasks.scorers._panel import UNIT, Ties, both_ways, by_judge, duels, finish, per


@scorer
def bradley_terry(
    judgments: pl.DataFrame,
    *,
    prior_std: float = 2.0,
    ties: Ties = "half",
    groups: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    """Returns strengths in log-odds, summing to nought within a prompt: sigmoid of a difference is P(one beats other).

    Each judge has one voice a pair (its mean vote over orders and repeats), so standard errors do not shrink by asking
    the same judge again.

    Args:
        judgments: pairwise, and listwise broken into all pairs.
        prior_std: of the normal prior on a strength; smaller pulls harder towards nought.
        ties: ``half`` a win to either side, or ``drop`` them.
        groups: group -> its judges; each group is scored apart, as ``bradley_terry:GROUP``.
    """
    if prior_std <= 0:
        raise ValueError(f"prior_std is {prior_std}, it must be above 0")
    voices = by_judge(duels(judgments, groups), ties)
    sides = per(both_ways(voices, "votes"), *UNIT, "completion_id", "against").agg(
        pl.col("won").sum(), pl.col("votes").sum()
    )  # fmt: skip
    cells = sides.sort(*UNIT, "completion_id", "against").with_columns(
        row=pl.col("completion_id").rank("dense").over(UNIT).cast(pl.Int64) - 1,
        column=pl.col("against").rank("dense").over(UNIT).cast(pl.Int64) - 1,
        size=pl.col("completion_id").n_unique().over(UNIT).cast(pl.Int64),
    )
    parts = [_solve(cells.filter(pl.col("size") == size), size, prior_std) for size in sorted(cells["size"].unique())]
    return finish(pl.concat(parts), "bradley_terry") if parts else finish(_nothing(sides), "bradley_terry")


def _solve(cells: pl.DataFrame, size: int, prior_std: float) -> pl.DataFrame:
    """Returns the strengths of all prompts with this many completions, solved as one stack."""
    place = cells.select(pl.struct(UNIT).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    wins = np.zeros((int(place.max()) + 1, size, size))
    wins[place, cells["row"].to_numpy(), cells["column"].to_numpy()] = cells["won"].to_numpy()
    strengths = pairs(wins, prior_std)
    found = cells.with_columns(
        score=pl.Series(strengths.value[place, cells["row"].to_numpy()]),
        standard_error=pl.Series(strengths.error[place, cells["row"].to_numpy()]),
    )
    return per(found, *UNIT, "completion_id").agg(
        pl.col("score").first(), pl.col("standard_error").first(), judgments=pl.col("votes").sum()
    )


def _nothing(sides: pl.DataFrame) -> pl.DataFrame:
    return sides.select(*UNIT, "completion_id", score="won", judgments="votes")
