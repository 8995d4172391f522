"""Goals: each pair twice, once asking for the quality of its chosen and once for that of its rejected.

Source: Reward-Augmented Data (arXiv:2410.08067, section 3.2: goal-conditioned relabelling; system prompts with the
reward).

Use it to learn from good rejected answers and to ask for the best at inference. It is bad at trainers that drop system
messages: then one prompt wants both.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import relabeler
from schemas.notes import noted
from tasks.relabelers._goal import prompted, renamed
from tasks.relabelers._swap import swapped

TEXT = "You are an assistant that gives answers of quality {goal} out of {highest}."


@relabeler
def goals(preferences: pl.DataFrame, *, text: str = TEXT, highest: float = 10.0) -> pl.DataFrame:
    """Returns two rows a pair: one asks for the chosen's score, one for the rejected's, and there they change places.

    Pairs with equal scores have no second row, which would contradict the first; pairs without scores stay as they are.
    ``meta`` holds the goal and ``of``, the pair both were made of.

    Args:
        text: put into the prompt, with {goal} and {highest} in it; whole numbers are written as such.
        highest: of the scale.

    Raises:
        ValueError: the text has no {goal}.
    """
    if "{goal}" not in text:
        raise ValueError(f"text is {text!r}; it needs {{goal}} in it")
    said = text.replace("{highest}", f"{highest:g}")
    own = preferences.with_columns(_goal_value=pl.col("chosen_score"), _of="pair_id")
    known = pl.col("chosen_score").is_not_null() & pl.col("rejected_score").is_not_null()
    second = own.filter(known & (pl.col("chosen_score") != pl.col("rejected_score")))
    second = swapped(second.with_columns(_goal_value=pl.col("rejected_score")), pl.lit(True))
    second = renamed(second, "goal")
    rows = pl.concat([own.with_columns(_turn=0), second.with_columns(_turn=1).select(*own.columns, "_turn")])
    place = own.select("_of").with_row_index("_place")
    rows = rows.join(place, on="_of", how="left").sort("_place", "_turn").drop("_place", "_turn")
    rows = prompted(rows, _written(said, pl.col("_goal_value")))
    return noted(rows, goal=pl.col("_goal_value"), of=pl.col("_of")).drop("_goal_value", "_of")


def _written(text: str, goal: pl.Expr) -> pl.Expr:
    whole = goal == goal.round(0)
    number = pl.when(whole).then(goal.cast(pl.Int64).cast(pl.String)).otherwise(goal.round(4).cast(pl.String))
    before, _, after = text.partition("{goal}")
    return pl.concat_str(pl.lit(before), number, pl.lit(after))
