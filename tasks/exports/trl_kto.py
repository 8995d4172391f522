"""Single answers with a thumb up or down as TRL's KTO trainer loads them.

Source: TRL, dataset formats: unpaired preference (prompt, completion, label); KTO (arXiv:2402.01306).

Use it where TRL trains with KTO. It is bad at pairs, whose bond it would lose: see ``trl_dpo``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import conditioned, finite, plain, refuse, taken

SIDES = ("prompt", "completion")


@export
def trl_kto(examples: pl.DataFrame, *, extra: tuple[str, ...] = ()) -> pl.DataFrame:
    """Returns prompt and completion as lists of {role, content}, and label, true or false; by example_id.

    The weights of the two classes are the trainer's settings; ``extra`` takes ``weight`` along, which says them.

    Args:
        extra: further columns of the examples table; the trainer ignores them.

    Raises:
        ValueError: a message is more than text, or an example has no label.
    """
    more = taken(examples, extra)
    refuse(examples, "example_id", pl.col("label").is_null(), "there is no label; `reward_rows` takes rewards alone")
    rows = plain(conditioned(finite(examples, "example_id")), "example_id", *SIDES)
    return rows.select(*SIDES, "label", *more)
