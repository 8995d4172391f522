"""Echoes: takes out pairs with an answer that repeats its whole prompt, or goes on to play the other role.

Source: hygiene of sampled data in Tulu 3 (arXiv:2411.15124, section 3.2); role markers of the chat templates of ChatML,
Llama 3, Gemma and Vicuna.

Use it with samples of base models, and where a template or a stop word may have been wrong. It is bad where answers
quote chat transcripts on purpose.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import plain, removals, spoken

MARKERS = r"<\|(?:im_start|im_end|start_header_id|eot_id|user|assistant|system)\|>|<(?:start|end)_of_turn>|\[/?INST\]"
TURNS = r"(?m)^(?:USER|ASSISTANT|Human|Assistant):\s"


@row_filter
def echoes(preferences: pl.DataFrame, *, least: int = 40, markers: str = MARKERS, turns: str = TURNS) -> pl.DataFrame:
    """Returns the removals of pairs whose answer holds its prompt's last message whole, a role marker or a new turn.

    ``value`` is the side, and the marker where there is one.

    Args:
        least: characters; a shorter prompt may stand in its answer, as in "Paris is the capital of France."
        markers, turns: regular expressions (Rust's syntax). A turn counts from its second line on.
    """
    last = pl.col("prompt").list.last().struct.field("content").fill_null("")
    parts = []
    for side in ("chosen", "rejected"):
        text = pl.col("text")
        whole = (pl.col("asked").str.len_chars() >= least) & plain(text).str.contains(pl.col("asked"), literal=True)
        later = text.str.replace(r"^[^\n]*", "").str.extract(f"({turns})").str.strip_chars()
        mark = pl.coalesce(text.str.extract(f"({markers})"), later)
        rows = preferences.select(row_id="pair_id", asked=plain(last), text=spoken(side)).with_columns(whole=whole)
        maybe = rows.filter(pl.col("whole") | text.str.contains(markers) | text.str.contains(turns))
        rows = maybe.select("row_id", "whole", mark=mark).with_columns(
            reason=pl.when("whole").then(pl.lit("the answer repeats its prompt"))
            .when(pl.col("mark").is_not_null()).then(pl.lit("the answer plays another role")),
            value=pl.when("whole").then(pl.lit(side)).otherwise(pl.concat_str(pl.lit(f"{side}: "), "mark")),
        )  # fmt: skip
        parts.append(rows)
    return removals(pl.concat(parts).sort("row_id", maintain_order=True))
