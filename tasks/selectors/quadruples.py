"""Two prompts that differ in their constraints, each answered: what fits one must not fit the other.

Source: IOPO (arXiv:2411.06208, section 3.2: (x1, y1) and (x2, y2) above (x1, y2) and (x2, y1)).

Half of the paper's summed log-ratios is the sum of two ordinary margins, y1 over y2 given x1 and y2 over y1 given x2;
so a quadruple is two pairs, bound together by a name in ``meta``.

Use it for prompts that come in variants with unlike constraints. It is bad where an answer fits both variants: half the
quadruple is then wrong.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(scope="dataset")
def quadruples(
    prompts: pl.DataFrame,
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    least: float | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns two pairs for each two prompts of one ``group``: the one's best answer over the other's, and back.

    Prompts of a group are taken two by two in the order of their ids; one left over, or one without an answer, makes
    none, nor do two equal answers. ``meta`` holds the quadruple's name and which of the two prompts it is.

    Args:
        prompts: ``group`` names those that are variants of each other.
        least: an answer scores at least this, or its quadruple goes.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: it is unclear which scores count.
    """
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    rows = rows.join(completions.select("completion_id", "content_id"), on="completion_id", maintain_order="left")
    best = rows.sort("group", "score", "row", descending=[False, True, False]).group_by("prompt_id").first()
    best = best.select("prompt_id", "completion_id", "content_id", "criterion", "score")
    if least is not None:
        best = best.filter(pl.col("score") >= least)
    asked = prompts.select("prompt_id", variants="group").filter(pl.col("variants").is_not_null())
    asked = asked.unique("prompt_id").sort("variants", "prompt_id")
    asked = asked.with_columns(place=pl.int_range(pl.len()).over("variants"))
    asked = asked.with_columns(two=pl.col("place") // 2).join(best, on="prompt_id", how="left", maintain_order="left")
    first, second = (asked.filter(pl.col("place") % 2 == turn).drop("place") for turn in (0, 1))
    both = first.join(second, on=["variants", "two"], suffix="_2").drop_nulls(["completion_id", "completion_id_2"])
    both = both.filter(pl.col("content_id") != pl.col("content_id_2"))
    name = pl.concat_str("prompt_id", "prompt_id_2", separator="+")
    sides = []
    for turn, (own, other) in enumerate((("", "_2"), ("_2", "")), start=1):
        side = both.select(
            pl.col(f"prompt_id{own}").alias("prompt_id"), pl.col(f"completion_id{own}").alias("chosen_id"),
            pl.col(f"completion_id{other}").alias("rejected_id"), pl.col(f"criterion{own}").alias("criterion"),
            pl.col(f"score{own}").alias("chosen_score"), quadruple=name, level=pl.lit("quadruple"),
        )  # fmt: skip
        sides.append(noted(side, quadruple=pl.col("quadruple"), side=pl.lit(turn)).drop("quadruple"))
    return pl.concat(sides).sort("prompt_id", "chosen_id")
