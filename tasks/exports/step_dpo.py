"""Step pairs in the shape of Step-DPO's released data.

Source: Step-DPO (arXiv:2406.18629), Math-Step-DPO-10K: dataset, prompt, initial_reason_steps, chosen, rejected,
full_chosen, full_rejected, answer.

Use it for Step-DPO's own trainer, or tools that read its release. It is bad at pairs of whole answers, which have no
step to part at.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from schemas.blocks import export
from schemas.messages import assistant, text_of
from tasks.exports._chat import each
from tasks.exports._kept import COLUMN, kept, restored

_HEAD = re.compile(r"\s*Step\s+\d+\s*:")
COLUMNS = (
    "dataset", "prompt", "initial_reason_steps", "chosen", "rejected", "full_chosen", "full_rejected", "answer",
)  # fmt: skip


@export
def step_dpo(
    preferences: pl.DataFrame, *, name: str = "pairwright", answer: str = "", keep: bool = False
) -> pl.DataFrame:
    """Returns the eight columns, all text, one row a pair with a prefix, by pair_id.

    A heading ``Step k:`` that both sides begin with belongs to ``initial_reason_steps``, as in the released data, so
    that it and either side join to ``full_chosen`` and ``full_rejected``: the text up to the step, this step included.
    The format has no numbers and no ids: those are lost without ``keep``.

    Args:
        name: what the column ``dataset`` says. answer: what the column ``answer`` says.
        keep: also what is needed to get the pairs back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: a step is more than text (a tool call).
    """

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        prefix, one, other = row["prefix"] or "", text_of(row["chosen"]), text_of(row["rejected"])
        if row["chosen"] != assistant(one) or row["rejected"] != assistant(other):
            raise ValueError("a step holds more than text; export it as parquet")
        began = None if row["prefix"] is None else len(prefix)
        head = _HEAD.match(one)
        if head and other.startswith(head.group()):
            prefix, one, other = prefix + head.group(), one[head.end() :], other[head.end() :]
        texts = (name, text_of(row["prompt"]), prefix, one, other, prefix + one, prefix + other, answer)
        more = kept(row, ("chosen", "rejected", "prefix"), began=began) if keep else {}
        return dict(zip(COLUMNS, texts, strict=True)) | more

    rows = each(preferences, "pair_id", shape)
    return pl.DataFrame(rows, schema=dict.fromkeys((*COLUMNS, *([COLUMN] if keep else [])), pl.String))


def back(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Returns the pairs that were exported with ``keep``, as they were; their texts are read off the columns."""
    found = []
    for row in rows.iter_rows(named=True):
        held = restored(row)
        at = held["began"] or 0
        sides = {side: assistant(row[f"full_{side}"][at:]) for side in ("chosen", "rejected")}
        prefix = None if held["began"] is None else row["full_chosen"][:at]
        found.append({**held["row"], "prefix": prefix, **sides})
    return found
