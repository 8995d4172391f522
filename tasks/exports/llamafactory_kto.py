"""Single answers with a thumb up or down as LLaMA-Factory reads them: sharegpt conversations, tool calls kept.

Source: LLaMA-Factory (arXiv:2403.13372), data converter: formatting sharegpt, column kto_tag.

Use it where LLaMA-Factory trains with KTO. It is bad at conversations that do not take turns, which are refused.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import conditioned, each, finite, refuse
from tasks.exports._turns import answer, turns

TURN = pl.Struct({"from": pl.String, "value": pl.String})


@export
def llamafactory_kto(examples: pl.DataFrame) -> pl.DataFrame:
    """Returns conversations (a list of {from, value}, the answer last) and kto_tag, true or false; by example_id.

    Raises:
        ValueError: an example has no label, an empty answer (the trainer would read any as not wanted), or a
            conversation is not one that the trainer takes: it would leave the row out.
    """
    refuse(examples, "example_id", pl.col("label").is_null(), "there is no label")

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        last = answer(row["completion"])
        if not last["value"]:
            raise ValueError("the answer is empty")
        return {"conversations": [*turns(row["prompt"]), last], "kto_tag": row["label"]}

    rows = each(conditioned(finite(examples, "example_id")), "example_id", shape)
    return pl.DataFrame(rows, schema={"conversations": pl.List(TURN), "kto_tag": pl.Boolean})


def beside(name: str, file: str) -> dict[str, object]:
    """Returns the files that belong beside the rows, by name: dataset_info.json as an object."""
    columns = {"messages": "conversations", "kto_tag": "kto_tag"}
    return {"dataset_info.json": {name: {"file_name": file, "formatting": "sharegpt", "columns": columns}}}
