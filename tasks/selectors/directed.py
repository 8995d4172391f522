"""For each prompt a direction in the space of two rewards, and the completion that goes furthest in it.

Source: Directional Preference Alignment (arXiv:2402.18571, section 3: v = (cos, sin) of an angle from 0 to 45 degrees,
integer weights in the prompt, the best of many samples by v . r).

Use it to train one model for many trade-offs of two rewards. It is bad at more than two, and where they rise and fall
together.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.blocks import selector
from schemas.coins import coins
from schemas.notes import noted
from tasks.selectors._sets import first_of, measured, starts


@selector(makes="examples")
def directed(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: tuple[str, str],
    angles: tuple[float, ...] = (0.0, 15.0, 30.0, 45.0),
    least: float | None = None,
    text: str = "The weights of the two goals are: {0} for {first}, {1} for {second}.",
    seed: int = 0,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one example a prompt: the highest projected reward in a direction drawn for the prompt.

    ``conditioning`` says the direction as round(100 v); ``meta`` holds v, the angle and both rewards; ``reward`` is
    v . r (ties: lowest id).

    Args:
        angles: in degrees; one is drawn for each prompt.
        least: the first reward of the chosen must be at least this (71 of 100 in the paper).
        text: with {0} and {1} for the weights, {first} and {second} for the criteria.
        seed: of the draw, which depends on the prompt's id alone.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: no angle, or a criterion that nobody scored.
    """
    if not angles:
        raise ValueError("angles are empty; one or more are needed")
    rows = measured(completions, scores, list(criteria), truncated=truncated)
    begin = starts(rows)
    tossed = coins(seed, rows["prompt_id"].gather(begin), "directed")
    drawn = np.asarray(angles)[(tossed * len(angles)).astype(np.int64)]
    v = np.stack([np.cos(np.deg2rad(drawn)), np.sin(np.deg2rad(drawn))], axis=1)
    sizes = np.diff(np.r_[begin, rows.height])
    along = np.repeat(v, sizes, axis=0)
    reward = rows["c0"].to_numpy() * along[:, 0] + rows["c1"].to_numpy() * along[:, 1]
    best = first_of(rows, reward, begin)
    weights = np.rint(100 * v).astype(np.int64)
    made = rows[best].select("prompt_id", "completion_id", "c0", "c1").with_columns(
        reward=pl.Series(reward[best]), angle=pl.Series(drawn), v0=pl.Series(v[:, 0]), v1=pl.Series(v[:, 1]),
        conditioning=pl.Series([said(text, criteria, pair) for pair in weights.tolist()], dtype=pl.String),
    )  # fmt: skip
    if least is not None:
        made = made.filter(pl.col("c0") >= least)
    notes = {"v": pl.concat_list("v0", "v1"), "rewards": pl.concat_list("c0", "c1"), "angle": pl.col("angle")}
    return noted(made, **notes).drop("c0", "c1", "angle", "v0", "v1")


def said(text: str, criteria: tuple[str, str], weights: tuple[int, int]) -> str:
    """Returns the text with weights and names filled in, in one pass.

    >>> said("{first} {0}, {second} {1}", ("help", "length"), (87, 50))
    'help 87, length 50'
    """
    places = {"{0}": str(weights[0]), "{1}": str(weights[1]), "{first}": criteria[0], "{second}": criteria[1]}
    for place, word in places.items():
        text = text.replace(place, word)
    return text
