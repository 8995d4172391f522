"""Preference pairs as LLaMA-Factory reads them: sharegpt conversations, tool calls kept.

Source: LLaMA-Factory (arXiv:2403.13372), data converter: formatting sharegpt, ranking true.

Use it where LLaMA-Factory trains on pairs, tool calls too. It is bad at conversations that do not take turns, which are
refused.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import each, finite, joined
from tasks.exports._turns import answer, turns

TURN = pl.Struct({"from": pl.String, "value": pl.String})
COLUMNS = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}


@export
def llamafactory_pairs(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns conversations (a list of {from, value}), chosen and rejected (one each), one row a pair, by pair_id.

    ``beside`` has the entry that the trainer's dataset_info.json needs.

    Raises:
        ValueError: a conversation is not one that the trainer takes: it would leave the row out.
    """

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        return {"conversations": turns(row["prompt"]), **{side: answer(row[side]) for side in ("chosen", "rejected")}}

    rows = each(joined(finite(preferences, "pair_id")), "pair_id", shape, advice="; export it as parquet")
    return pl.DataFrame(rows, schema={"conversations": pl.List(TURN), "chosen": TURN, "rejected": TURN})


def beside(name: str, file: str) -> dict[str, object]:
    """Returns the files that belong beside the rows, by name: dataset_info.json as an object."""
    return {
        "dataset_info.json": {
            name: {"file_name": file, "formatting": "sharegpt", "ranking": True, "columns": COLUMNS}
        }
    }  # fmt: skip
