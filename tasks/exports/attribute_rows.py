"""Answers with their scores by several attributes, for multi-head reward models and several objectives.

Source: HelpSteer2 (arXiv:2406.08673, section 3), UltraFeedback (arXiv:2310.01377), MODPO (arXiv:2310.03708).

Use it for reward models with one head an attribute. It is bad for trainers of pairs, which want two answers a row.
"""

from __future__ import annotations

import orjson
import polars as pl

from schemas.blocks import export
from schemas.errors import RowsError
from schemas.notes import note
from tasks.exports._chat import conditioned, finite, plain, refuse

SIDES = ("prompt", "completion")


@export
def attribute_rows(examples: pl.DataFrame) -> pl.DataFrame:
    """Returns prompt and completion as lists of {role, content}, reward, and a column a score; by example_id.

    Raises:
        ValueError: an example has no attributes, or not the same ones as the others; or a message is more than text.
    """
    held = note("attributes")
    refuse(examples, "example_id", held.is_null(), "there are no attributes; `select: attributes` notes them")
    rows = plain(conditioned(finite(examples, "example_id")), "example_id", *SIDES).with_columns(_held=held)
    names = list(orjson.loads(rows["_held"][0])) if rows.height else []
    kind = pl.Struct(dict.fromkeys(names, pl.Float64))
    odd = [key for text, key in rows.select("_held", "example_id").iter_rows() if list(orjson.loads(text)) != names]
    if odd:
        raise RowsError("example", dict.fromkeys(odd, f"its attributes are not {', '.join(names)}, as those of others"))
    scores = pl.col("_held").str.json_decode(kind) if names else pl.lit(None)
    return rows.select(*SIDES, "reward", attr_scores=scores)
