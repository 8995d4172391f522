"""Single answers with a thumb up or down as OpenRLHF's unpaired dataset reads them.

Source: OpenRLHF (arXiv:2405.11143), unpaired_preference_dataset: --output_key, --label_key, --apply_chat_template.

Use it where OpenRLHF trains with KTO. It is bad at class weights, which are the trainer's settings.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import conditioned, finite, plain, refuse


@export
def openrlhf_kto(examples: pl.DataFrame) -> pl.DataFrame:
    """Returns output, the whole conversation as a list of {role, content}, and label, 1 or 0; by example_id.

    To be read with ``--output_key output --label_key label --apply_chat_template``, which takes the conversation from
    there alone. -1 is no label of ours: the trainer marks its own unmatched rows with it.

    Raises:
        ValueError: an example has no label, or a message is more than text.
    """
    refuse(examples, "example_id", pl.col("label").is_null(), "there is no label")
    rows = plain(conditioned(finite(examples, "example_id")), "example_id", "prompt", "completion")
    return rows.select(output=pl.concat_list("prompt", "completion"), label=pl.col("label").cast(pl.Int64))
