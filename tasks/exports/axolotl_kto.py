"""Single answers with a thumb up or down as Axolotl's KTO strategies read them: one question, one answer.

Source: Axolotl, prompt_strategies.kto: chatml.ultra and llama3.ultra (prompt, completion, label, system).

Use it where Axolotl trains with KTO. It is bad at several turns and tool calls, for which its strategies have no place.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import conditioned, finite, plain, refuse


@export
def axolotl_kto(examples: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt, completion, system (null where there is none) as texts, and label, true or false; by example_id.

    Raises:
        ValueError: an example has no label, several turns (for which these strategies have no place), or a message that
            is more than text.
    """
    refuse(examples, "example_id", pl.col("label").is_null(), "there is no label")
    rows = plain(conditioned(finite(examples, "example_id")), "example_id", "prompt", "completion")
    first = pl.col("prompt").list.first().struct
    led = first.field("role").is_in(["system", "developer"])
    roles = pl.col("prompt").list.eval(pl.element().struct.field("role")).list.last()
    single = (pl.col("prompt").list.len() == 1 + led.cast(pl.Int64)) & (roles == "user")
    single &= pl.col("completion").list.len() == 1
    refuse(rows, "example_id", ~single, "it has several turns; Axolotl's KTO takes one question and one answer")
    return rows.select(
        "label", prompt=pl.col("prompt").list.last().struct.field("content"),
        completion=pl.col("completion").list.last().struct.field("content"),
        system=pl.when(led).then(first.field("content")),
    ).select("prompt", "completion", "label", "system")  # fmt: skip


def beside(name: str, file: str) -> dict[str, object]:
    """Returns the files that belong beside the rows, by name: the part of Axolotl's configuration that reads them."""
    entry = {"path": file, "ds_type": "parquet", "split": "train", "type": "chatml.ultra"}
    return {"axolotl.yaml": {"rl": "kto", "remove_unused_columns": False, "datasets": [entry]}}
