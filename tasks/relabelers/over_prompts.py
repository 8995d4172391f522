"""Over prompts: a preference between two answers becomes one between the prompts that led to them.

Source: Align-Pro (arXiv:2501.03486, section 3: a prompter before a frozen model); Prompt-A-Video (arXiv:2412.15156,
section 3.3: pairs of evolved prompts by the reward of what they give).

Use it to train a model that writes prompts. It is bad at one answer a prompt, whose luck it takes for the prompt's
worth: sample several.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import relabeler
from schemas.notes import note
from tasks.relabelers._goal import prompted

TASK = "Rewrite the prompt so that a model answers it better. Say nothing but the rewritten prompt."


@relabeler
def over_prompts(preferences: pl.DataFrame, completions: pl.DataFrame, *, task: str = TASK) -> pl.DataFrame:
    """Returns the preferences with the rewritten prompts as chosen and rejected, the original one as prompt.

    An answer to the original prompt stands for that prompt. Both texts may come out the same: ``filter:
    identical_texts`` takes such pairs out.

    Args:
        completions: with the ``rewritten`` prompt that the sampler noted in ``meta``.
        task: put into the prompt as a system message.
    """
    said = pl.element().struct.field("content").fill_null("")
    plain = pl.col("prompt").list.eval(said).list.join("\n\n")
    told = completions.select("completion_id", rewritten=note("rewritten"))
    rows = preferences.with_columns(_own=plain)
    null = pl.lit(None, pl.String)
    for side in ("chosen", "rejected"):
        own = told.rename({"completion_id": f"{side}_id", "rewritten": "_text"})
        rows = rows.join(own, on=f"{side}_id", how="left", maintain_order="left")
        message = pl.struct(
            role=pl.lit("assistant"), content=pl.coalesce("_text", "_own"), tool_calls=null, extra=null
        )  # fmt: skip
        rows = rows.with_columns(pl.concat_list(message).alias(side)).drop("_text")
    return prompted(rows.drop("_own"), pl.lit(task))
