"""Every completion with its scores by several criteria, and where wanted written into the prompt as a goal.

Source: HelpSteer2 (arXiv:2406.08673, section 3: five attributes a response); Rewards-in-Context (arXiv:2402.10207,
section 3: z-scores to one decimal in the prompt, online rows kept where any score is in its top 30 %).

Use it to condition on qualities or to train one head a quality. It is bad where criteria measure the same thing: they
then pull as one.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._sets import measured


@selector(makes="examples", scope="dataset")
def attributes(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    criteria: list[str],
    weights: list[float] | None = None,
    standardise: bool = False,
    sample_sd: bool = False,
    highest: float | None = 4.0,
    goal: str | None = None,
    any_above: float | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns one example a completion that has them all: ``meta`` holds its attributes, ``reward`` their weighted sum.

    Args:
        weights: one a criterion; by default 1 each.
        standardise: attributes become z-scores over all candidates (0 where all are the same), to one decimal.
        sample_sd: divide by n - 1 in the deviation, not by n.
        highest: z-scores are cut at plus and minus this.
        goal: what goes into the prompt for each attribute, e.g. ``<{name}> {value}``, joined by blanks.
        any_above: keep a completion only if one of its attributes reaches this quantile of it (0.7 in the paper).
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: not one weight a criterion, a goal without {value}, or a criterion that nobody scored.
    """
    shares = weights or [1.0] * len(criteria)
    if len(shares) != len(criteria) or (goal is not None and "{value}" not in goal):
        raise ValueError(f"{len(shares)} weights for {len(criteria)} criteria, goal {goal!r}: one each, with {{value}}")
    rows = measured(completions, scores, criteria, truncated=truncated)
    columns = [f"c{i}" for i in range(len(criteria))]
    if any_above is not None:
        tops = [pl.col(name) >= pl.col(name).quantile(any_above, "linear") for name in columns]
        good = rows.select(pl.any_horizontal(tops)).to_series()
    else:
        good = pl.repeat(True, rows.height, eager=True)
    if standardise:
        rows = rows.with_columns(_z(pl.col(name), 1 if sample_sd else 0, highest) for name in columns)
    rows = rows.filter(good)
    made = rows.select(
        "prompt_id", "completion_id", *columns,
        reward=pl.sum_horizontal(pl.col(name) * share for name, share in zip(columns, shares, strict=True)),
    )  # fmt: skip
    if goal is not None:
        said = [_goal(goal, name, pl.col(column)) for name, column in zip(criteria, columns, strict=True)]
        made = made.with_columns(conditioning=pl.concat_str(said, separator=" "))
    held = pl.struct(pl.col(column).alias(name) for name, column in zip(criteria, columns, strict=True))
    return noted(made, attributes=held).drop(columns)


def _z(value: pl.Expr, ddof: int, highest: float | None) -> pl.Expr:
    sd = value.std(ddof=ddof)
    differ = value.max() > value.min()  # the deviation of equal numbers need not be 0 to the last digit
    z = pl.when(differ).then((value - value.mean()) / sd).otherwise(0.0)
    return (z if highest is None else z.clip(-highest, highest)).round(1)


def _goal(goal: str, name: str, value: pl.Expr) -> pl.Expr:
    whole = value == value.round(0)
    number = pl.when(whole).then(value.cast(pl.Int64).cast(pl.String)).otherwise(value.round(2).cast(pl.String))
    before, _, after = goal.replace("{name}", name).partition("{value}")
    return pl.concat_str(pl.lit(before), number, pl.lit(after))
