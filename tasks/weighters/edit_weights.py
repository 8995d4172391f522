"""Edit weights: which tokens of a pair differ, and how much more each of them is to count.

Source: BMC (arXiv:2408.07471, section 3.2: weight 1 + min(1 / p(token), delta) for tokens that the rewrite changed, 1
for the others; delta 1.5 for instructions, 2.5 for mathematics, 3.0 for questions).

Use it where one text was made of the other by few edits. It is bad for two independent answers, in which everything
differs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from math import exp
from typing import Any

import polars as pl

from schemas.blocks import weighter
from schemas.messages import text_of
from schemas.notes import noted

WORDS = re.compile(r"\s*\S+")


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
    known: dict[str, Any] = {}
    if {"tokens", "token_logprobs"} <= set(completions.columns):  # a block that sees all prompts is not given them
        ids = pl.concat([preferences["chosen_id"], preferences["rejected_id"]]).unique().implode()
        own = completions.filter(pl.col("completion_id").is_in(ids))
        known = {name: told for name, *told in own.select("completion_id", "tokens", "token_logprobs").iter_rows()}
    rows = [_row(row, known, delta) for row in preferences.select(_READ).iter_rows(named=True)]
    kinds = {"chosen_mask": pl.Int64, "rejected_mask": pl.Int64, "chosen_weights": pl.Float64,
             "rejected_weights": pl.Float64}  # fmt: skip
    made = pl.DataFrame(rows, schema={name: pl.List(kind) for name, kind in kinds.items()})
    held = preferences.hstack(made.rename({name: f"_{name}" for name in kinds}))
    return noted(held, **{name: pl.col(f"_{name}") for name in kinds}).drop(f"_{name}" for name in kinds)


_READ = ("chosen", "rejected", "chosen_id", "rejected_id")


def _row(row: dict[str, Any], known: dict[str, Any], delta: float) -> dict[str, Any]:
    sides = [known.get(row[f"{side}_id"]) or (None, None) for side in ("chosen", "rejected")]
    texts: list[list[str]] = [tokens for tokens, _ in sides if tokens]
    logps: list[list[float] | None] = [None, None]
    if len(texts) == 2:
        logps = [
            told if told and len(told) == len(text) else None for text, (_, told) in zip(texts, sides, strict=True)
        ]
    else:
        texts = [WORDS.findall(text_of(row[side])) for side in ("chosen", "rejected")]
    masks = differing(*texts)
    weights = [found and token_weights(mask, found, delta) for mask, found in zip(masks, logps, strict=True)]
    names = ("chosen_mask", "rejected_mask", "chosen_weights", "rejected_weights")
    return dict(zip(names, (*masks, *weights), strict=True))


def differing(one: Sequence[str], other: Sequence[str]) -> tuple[list[int], list[int]]:
    """Returns for both lists 1 for what the other does not have there, else 0.

    >>> differing("the cat sat on the mat".split(), "the dog sat on a mat".split())
    ([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0])
    """
    masks = ([0] * len(one), [0] * len(other))
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what != "equal":
            masks[0][a:b], masks[1][c:d] = [1] * (b - a), [1] * (d - c)
    return masks


def token_weights(mask: Sequence[int], logps: Sequence[float], delta: float) -> list[float]:
    """Returns 1 for the tokens that both have, 1 + min(1 / p, delta) for the others.

    >>> [round(w, 4) for w in token_weights([0, 1, 1], [-0.1, -0.1, -2.0], 1.5)]
    [1.0, 2.1052, 2.5]
    """
    return [1.0 + on * min(exp(min(-logp, 700.0)), delta) for on, logp in zip(mask, logps, strict=True)]
