"""Verb: filters, weights and relabels rows; what is taken out is written down, never just gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from tasks.score import Step

REMOVED = {
    "row_id": pl.String, "block": pl.String, "reason": pl.String, "table": pl.String, "value": pl.String,
}  # fmt: skip
_KEYS = {"preferences": "pair_id", "completions": "completion_id", "prompts": "prompt_id"}


class Curated(NamedTuple):
    """What is left of the tables, and what was taken out of them (removals table)."""

    tables: dict[str, pl.DataFrame]
    removals: pl.DataFrame


def curate(tables: dict[str, pl.DataFrame], steps: Sequence[Step]) -> Curated:
    """Applies filters, weighters and relabelers in order; kept + removed = what came in.

    A filter works on the first table it names and returns the rows to take out; a weighter or relabeler returns the
    preferences with changed columns.
    """
    tables, removals = dict(tables), [pl.DataFrame(schema=REMOVED)]
    for step in steps:
        if step.block.verb != "filter":
            tables["preferences"] = step(tables)
            continue
        name = step.block.tables[0]
        out = step(tables).with_columns(pl.lit(step.block.name).alias("block"), pl.lit(name).alias("table"))
        if out.height:
            removals.append(out.select([pl.col(column).cast(dtype) for column, dtype in REMOVED.items()]))
            tables[name] = tables[name].join(out, left_on=_KEYS[name], right_on="row_id", how="anti")
    return Curated(tables, pl.concat(removals))


def scope(step: Step) -> str:
    """Returns whether the step runs shard by shard (``prompt``) or must see all rows (``dataset``)."""
    return step.block.mark.scope
