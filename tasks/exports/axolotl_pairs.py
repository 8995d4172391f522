"""Preference pairs as Axolotl's chat templates for DPO read them.

Source: Axolotl, prompt_strategies.dpo.chat_template: default (messages, chosen, rejected) and argilla_chat.

Use it where Axolotl trains on pairs. It is bad with chat templates that change the answer's text, which the trainer
then looks for in vain.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from tasks.exports._chat import SIDES, finite, joined, plain, refuse

ROLES = ("system", "user", "assistant", "tool")
HEADS = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n[[dummy_message]]<|im_end|>\n",
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
    "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n[[dummy_message]]<|eot_id|>",
    "<|im_start|>assistant\n", "<|start_header_id|>assistant<|end_header_id|>\n\n",
)  # fmt: skip
"""What usual templates write before an answer; one that occurs in there is found too early, and the head kept."""

_ANSWERS = ("chosen", "rejected")


@export
def axolotl_pairs(preferences: pl.DataFrame, *, strip: bool = False) -> pl.DataFrame:
    """Returns messages, chosen and rejected as lists of {role, content}, the two with the prompt before; by pair_id.

    ``chat_template.default`` reads messages and the last turn of the other two, ``chat_template.argilla_chat`` those
    two alone. Both look for the answer's text in what the template makes of it, and cut off what stands before.

    Args:
        strip: take white space off both ends of the answers, where templates do so anyway.

    Raises:
        ValueError: a message is more than text, has a role that Axolotl does not know, or an answer has several turns;
            or Axolotl would cut it wrongly: it is empty, has white space at an end, or occurs in what usual templates
            write before it (as "4" does in a date).
    """
    rows = plain(joined(finite(preferences, "pair_id")), "pair_id", *SIDES)
    known = pl.element().struct.field("role").is_in(ROLES)
    refuse(
        rows, "pair_id", ~pl.col("prompt").list.eval(known).list.all(), f"Axolotl knows the roles {', '.join(ROLES)}"
    )
    for side in _ANSWERS:
        text = pl.col(side).list.first().struct.field("content")
        refuse(
            rows, "pair_id", pl.col(side).list.len() != 1, f"{side} has several turns, and Axolotl reads the last one"
        )
        refuse(
            rows,
            "pair_id",
            text.str.strip_chars() == "",
            f"{side} is empty, and Axolotl would take the template for it",
        )
        if strip:
            bare = pl.struct(role=pl.element().struct.field("role"), content=_content().str.strip_chars())
            rows = rows.with_columns(pl.col(side).list.eval(bare))
        early = pl.any_horizontal(pl.lit(head).str.contains(text, literal=True) for head in HEADS)
        refuse(rows, "pair_id", early, f"{side} is too short: Axolotl would find it in the template before the answer")
        odd = text.str.strip_chars() != text
        refuse(rows, "pair_id", odd, f"{side} has white space at an end, where Axolotl loses it; strip takes it off")
    return rows.select(messages="prompt", **{side: pl.concat_list("prompt", side) for side in _ANSWERS})


def _content() -> pl.Expr:
    return pl.element().struct.field("content")


def beside(name: str, file: str) -> dict[str, object]:
    """Returns the files that belong beside the rows, by name: the part of Axolotl's configuration that reads them."""
    entry = {"path": file, "ds_type": "parquet", "split": "train", "type": "chat_template.default"}
    fields = {"field_messages": "messages", "field_chosen": "chosen", "field_rejected": "rejected"}
    return {"axolotl.yaml": {"rl": "dpo", "datasets": [entry | fields]}}
