"""Edit weights: which tokens of a pair differ, and how much more each of them is to count.

Source: BMC (arXiv:2408.07471, section 3.2: weight 1 + min(1 / p(token), delta) for tokens that the rewrite changed, 1
for the others; delta 1.5 for instructions, 2.5 for mathematics, 3.0 for questions).

Use it where one text was made of the other by few edits. It is bad for two independent answers, in which everything
differs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from schemas.blocks import weighter
from schemas.notes import noted
from tasks.texts.differences import Mask, masks
from tasks.texts.tokens import Tokens, listed, spaced

SIDES = ("chosen", "rejected")


@weighter
def edit_weights(preferences: pl.DataFrame, completions: pl.DataFrame, *, delta: float = 1.5) -> pl.DataFrame:
    """Returns the preferences with ``chosen_mask``, ``rejected_mask`` and token weights of both sides in ``meta``.

    A mask is 1 where a token stands in one text alone. Tokens are the sampler's where both completions have them, else
    words; weights need the tokens' log-probabilities and are null without.

    Args:
        completions: with tokens and token_logprobs. delta: the most that is added to a differing token's weight.

    Raises:
        ValueError: delta is below 0.
    """
    if delta < 0:
        raise ValueError(f"delta is {delta}; it must be 0 or more")
    rows = preferences.select(*(_text(side) for side in SIDES), "chosen_id", "rejected_id")
    rows = _with_tokens(rows, completions).with_row_index("row")
    whole = pl.col("chosen_tokens").is_not_null() & pl.col("rejected_tokens").is_not_null()
    parts = [_noted(part, known, delta) for (known,), part in rows.group_by(whole.alias("known"), maintain_order=True)]
    kinds = {"chosen_mask": pl.Int8, "rejected_mask": pl.Int8, "chosen_weights": pl.Float64,
             "rejected_weights": pl.Float64}  # fmt: skip
    empty = pl.DataFrame(schema={"row": rows.schema["row"], **{name: pl.List(kind) for name, kind in kinds.items()}})
    made = pl.concat([empty, *parts])
    made = made.sort("row") if len(parts) > 1 else made
    held = preferences.hstack(made.select(pl.col(name).alias(f"_{name}") for name in kinds))
    return noted(held, **{name: pl.col(f"_{name}") for name in kinds}).drop(f"_{name}" for name in kinds)


def _text(side: str) -> pl.Expr:
    """Returns the text of a messages column, one turn a paragraph; a turn without words is its tool calls."""
    content, calls = (pl.element().struct.field(name).fill_null("") for name in ("content", "tool_calls"))
    return pl.col(side).list.eval(pl.when(content == "").then(calls).otherwise(content)).list.join("\n\n")


def _with_tokens(rows: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    """Returns the rows with tokens and their log-probabilities of both sides, null where there are none."""
    known = pl.DataFrame(schema={"completion_id": pl.String, "tokens": pl.List(pl.String),
                                 "logps": pl.List(pl.Float64)})  # fmt: skip
    if {"tokens", "token_logprobs"} <= set(completions.columns):  # a block that sees all prompts is not given them
        told = completions.select("completion_id", "tokens", logps="token_logprobs").filter(
            pl.col("tokens").list.len() > 0
        )
        known = told.unique("completion_id", keep="last")
    for side in SIDES:
        own = known.select(pl.all().name.prefix(f"{side}_"))
        rows = rows.join(own, left_on=f"{side}_id", right_on=f"{side}_completion_id", how="left",
                         maintain_order="left")  # fmt: skip
    return rows


def _noted(rows: pl.DataFrame, known: Any, delta: float) -> pl.DataFrame:
    """Returns row, masks and weights of rows that all have the sampler's tokens, or of which none is known to."""
    tokens = [listed(rows[f"{side}_tokens"]) if known else spaced(rows[side]) for side in SIDES]
    told = {"row": rows["row"]}
    weights: dict[str, pl.Series] = {}
    for side, own, mask in zip(SIDES, tokens, masks(*tokens), strict=True):
        told[f"{side}_mask"] = _lists(mask, own.first)
        weights[f"{side}_weights"] = pl.Series([None], dtype=pl.List(pl.Float64)).new_from_index(0, rows.height)
        if known:
            weights[f"{side}_weights"] = _weights(mask, own, rows[f"{side}_logps"], delta)
    return pl.DataFrame(told | weights)


def _weights(mask: Mask, tokens: Tokens, logps: pl.Series, delta: float) -> pl.Series:
    """Returns lists of weights, null where a text has not as many log-probabilities as tokens."""
    count = np.diff(tokens.first)
    whole = (logps.list.len() == pl.Series(count)).fill_null(False)
    own = np.repeat(whole.to_numpy(), count)
    made = token_weights(pl.Series(mask[own]), logps.filter(whole).explode(), delta)
    first = np.concatenate([[0], np.cumsum(count[whole.to_numpy()])])
    found = pl.DataFrame({"at": np.flatnonzero(whole.to_numpy()), "weights": _lists(made, first)})
    at = pl.DataFrame({"at": np.arange(len(count))})
    return at.join(found, on="at", how="left", maintain_order="left")["weights"]


def _lists(values: npt.NDArray[Any] | pl.Series, first: npt.NDArray[np.int64]) -> pl.Series:
    """Returns the values cut into lists."""
    flat = values.to_arrow() if isinstance(values, pl.Series) else pa.array(values)
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(first), flat)))


def token_weights(mask: pl.Series, logps: pl.Series, delta: float) -> pl.Series:
    """Returns 1 for the tokens that both have, 1 + min(1 / p, delta) for the others.

    >>> token_weights(pl.Series([0, 1, 1]), pl.Series([-0.1, -0.1, -2.0]), 1.5).round(4).to_list()
    [1.0, 2.1052, 2.5]
    """
    more = (-logps).clip(upper_bound=700.0).exp().clip(upper_bound=delta)
    return 1.0 + mask * more
