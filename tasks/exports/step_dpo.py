"""Step pairs in the shape of Step-DPO's released data.

Source: Step-DPO (arXiv:2406.18629), Math-Step-DPO-10K: dataset, prompt, initial_reason_steps, chosen, rejected,
full_chosen, full_rejected, answer.
"""

from __future__ import annotations

import re

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of

_HEAD = re.compile(r"\s*Step\s+\d+\s*:")
COLUMNS = (
    "dataset", "prompt", "initial_reason_steps", "chosen", "rejected", "full_chosen", "full_rejected", "answer",
)  # fmt: skip


@export
def step_dpo(preferences: pl.DataFrame, *, name: str = "pairwright", answer: str = "") -> pl.DataFrame:
    """Returns the eight columns, all text, one row a pair with a prefix, by pair_id.

    A heading ``Step k:`` that both sides begin with belongs to ``initial_reason_steps``, as in the released data, so
    that it and either side join to ``full_chosen`` and ``full_rejected``: the text up to the step, this step included.

    Args:
        name: what the column ``dataset`` says. answer: what the column ``answer`` says.
    """
    rows = []
    for row in preferences.sort("pair_id").iter_rows(named=True):
        prefix, one, other = row["prefix"] or "", text_of(row["chosen"]), text_of(row["rejected"])
        head = _HEAD.match(one)
        if head and other.startswith(head.group()):
            prefix, one, other = prefix + head.group(), one[head.end() :], other[head.end() :]
        texts = (name, text_of(row["prompt"]), prefix, one, other, prefix + one, prefix + other, answer)
        rows.append(dict(zip(COLUMNS, texts, strict=True)))
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))
