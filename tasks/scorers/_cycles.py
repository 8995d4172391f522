"""The preference table of a prompt, and where it goes round in circles.

Source: Zhang et al. 2024, arXiv:2410.02197 (general preferences, which may be cyclic); Kendall and Babington Smith 1940
(circular triads); Swamy et al. 2024, arXiv:2401.04056 (the minimax winner of a preference table).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.scorers._panel import UNIT, Groups, Ties, by_judge, duels, per

Floats = npt.NDArray[np.float64]


class Table(NamedTuple):
    """Of one prompt: the completions, P(row beats column) with NaN where they never met, and votes a cell."""

    unit: dict[str, str]
    names: list[str]
    chance: Floats
    votes: Floats


def tables(judgments: pl.DataFrame, ties: Ties = "half", groups: Groups | None = None) -> list[Table]:
    """Returns the preference table of every unit: the mean over judges of each judge's mean vote."""
    pairs = per(by_judge(duels(judgments, groups), ties), *UNIT, "one", "other").agg(
        pl.col("won").mean(), pl.col("votes").sum()
    )  # fmt: skip
    found = []
    for unit, part in pairs.sort(*UNIT, "one", "other").group_by(UNIT, maintain_order=True):
        names = sorted({*part["one"], *part["other"]})
        place = {name: index for index, name in enumerate(names)}
        rows, columns = ([place[name] for name in part[side]] for side in ("one", "other"))
        chance, votes = np.full((len(names), len(names)), np.nan), np.zeros((len(names), len(names)))
        chance[rows, columns], chance[columns, rows] = part["won"], 1 - part["won"]
        votes[rows, columns] = votes[columns, rows] = part["votes"]
        found.append(Table({name: str(value) for name, value in zip(UNIT, unit, strict=True)}, names, chance, votes))
    return found


def cycle_report(
    judgments: pl.DataFrame, *, ties: Ties = "half", groups: dict[str, list[str]] | None = None
) -> pl.DataFrame:
    """Returns one row per prompt, criterion and group: how far its preferences are from an order.

    ``triads`` are triples in which all three pairs have a winner, ``cycles`` those that go round, ``transitivity`` is
    1 - cycles / triads (null without triads). ``knot`` is the size of the largest set in which each beats each other
    directly or through others (1 when there is no cycle of any length). ``condorcet``: who beats everyone, or null.
    ``example``: one shortest cycle, each beating the next and the last the first.
    """
    kinds: dict[str, Any] = {name: pl.String for name in UNIT}
    kinds |= {name: pl.Int64 for name in ("completions", "pairs", "ties", "triads", "cycles", "knot")}
    kinds |= {"transitivity": pl.Float64, "condorcet": pl.String, "example": pl.List(pl.String)}
    return pl.DataFrame([_report(table) for table in tables(judgments, ties, groups)], kinds)


def _report(table: Table) -> dict[str, Any]:
    beats = np.nan_to_num(table.chance, nan=0.5) > 0.5
    count, decided = len(table.names), (beats | beats.T).astype(np.int64)
    triads = int(np.trace(decided @ decided @ decided)) // 6
    step = beats.astype(np.int64)
    cycles = int(np.trace(step @ step @ step)) // 3
    reach = beats.copy()
    for middle in range(count):
        reach |= np.outer(reach[:, middle], reach[middle])
    winners = np.flatnonzero(beats.sum(axis=1) == count - 1)
    return table.unit | {
        "completions": count, "pairs": int(np.isfinite(table.chance).sum()) // 2,
        "ties": int((table.chance == 0.5).sum()) // 2, "triads": triads, "cycles": cycles,
        "knot": int((reach & reach.T).sum(axis=1).max(initial=1)) or 1,
        "transitivity": 1 - cycles / triads if triads else None,
        "condorcet": table.names[winners[0]] if len(winners) else None,
        "example": [table.names[index] for index in _shortest_cycle(beats)],
    }  # fmt: skip


def _shortest_cycle(beats: npt.NDArray[np.bool_]) -> list[int]:
    best: list[int] = []
    for start in range(len(beats)):
        paths, seen = [[start]], {start}
        while paths and (not best or len(paths[0]) < len(best)):
            path = paths.pop(0)
            nexts = np.flatnonzero(beats[path[-1]])
            if start in nexts:
                best = path
                break
            paths += [[*path, int(index)] for index in nexts if index not in seen]
            seen.update(int(index) for index in nexts)
    return best


def minimax_winner(chance: Floats) -> Floats:
    """Returns the mixture of rows that no row beats more than half the time; cells never met count as 1/2."""
    from scipy.optimize import linprog  # type: ignore[import-untyped]

    count = len(chance)
    edge = np.nan_to_num(chance, nan=0.5) - 0.5
    # Maximise v with sum_i mix_i * edge[i, j] >= v for every j; the value of this game is nought.
    solved = linprog(
        np.r_[np.zeros(count), -1.0], A_ub=np.c_[-edge.T, np.ones(count)], b_ub=np.zeros(count),
        A_eq=np.r_[np.ones(count), 0.0][None], b_eq=[1.0], bounds=[(0, 1)] * count + [(-1, 1)],
    )  # fmt: skip
    return np.asarray(solved.x[:count])
