"""Triples as TRL's triple preference trainer loads them: a reference answer above a chosen and a rejected one.

Source: TRL, TPOTrainer (prompt, reference, chosen, rejected); Triple Preference Optimization (arXiv:2405.16681); WRPO
(arXiv:2412.03187: one of another model's answers, two of one's own).

Use it where TRL trains on triples. It is bad at longer lists: see ``list_rows``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.notes import note
from tasks.exports._chat import finite, plain, refuse, spoken_once

ROLES = ("reference", "chosen", "rejected")


@export
def trl_tpo(rankings: pl.DataFrame, completions: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt, reference, chosen and rejected as lists of {role, content}, and rewards; by ranking_id.

    Raises:
        ValueError: a list is no triple made by ``select: triples``, or more than text was said.
    """
    roles = note("roles") == '["reference","chosen","rejected"]'
    three = roles.fill_null(False) & (pl.col("completions").list.len() == 3)
    refuse(rankings, "ranking_id", ~three, "it is no triple; `select: triples` makes them, `list_rows` takes all lists")
    rows = plain(spoken_once(finite(rankings, "ranking_id"), completions), "ranking_id", "prompt")
    answers = [
        pl.concat_list(pl.struct(role=pl.lit("assistant"), content=pl.col("completions").list.get(i))).alias(name)
        for i, name in enumerate(ROLES)
    ]
    return rows.select("prompt", *answers, "rewards")
