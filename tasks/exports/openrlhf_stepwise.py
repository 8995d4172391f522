"""Stepwise rows as OpenRLHF's process reward dataset reads them: every step closed by a mark, and a label a mark.

Source: OpenRLHF (arXiv:2405.11143), process_reward_dataset: --input_key, --label_key, --placeholder_token.

Use it where OpenRLHF trains a process reward model. It is bad with a mark that the tokenizer splits: choose one that is
a token.
"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._chat import each
from tasks.exports.math_shepherd import MARK


@export
def openrlhf_stepwise(
    steps: pl.DataFrame, *, mark: str = MARK, threshold: float = 0.5, labels: Literal["signs", "numbers"] = "signs"
) -> pl.DataFrame:
    """Returns input and value, one row a steps row, by step_row_id.

    To be read with ``--input_key input --label_key value --placeholder_token MARK --reward_tokens + -`` (or without
    the last, for numbers).

    Args:
        mark: one token of the model's, closing each step. threshold: + from this label on.
        labels: + and -, or the labels as they are.

    Raises:
        ValueError: a text holds the mark, or there is not one label a step.
    """

    def shape(row: dict[str, Any]) -> dict[str, Any]:
        prompt, texts, given = text_of(row["prompt"]), row["completions"], row["labels"]
        if given is None or len(given) != len(texts):
            raise ValueError(f"{len(texts)} steps stand against {len(given or ())} labels")
        if any(mark in text for text in (prompt, *texts)):
            raise ValueError(f"a text holds the mark {mark!r} itself; name another one")
        parts = [(text.rstrip("\n"), text[len(text.rstrip("\n")) :]) for text in texts]
        value = given if labels == "numbers" else ["+" if label >= threshold else "-" for label in given]
        return {"input": f"{prompt} " + "".join(f"{text} {mark}{end}" for text, end in parts), "value": value}

    rows = each(steps, "step_row_id", shape)
    kind = pl.Float64 if labels == "numbers" else pl.String
    return pl.DataFrame(rows, schema={"input": pl.String, "value": pl.List(kind)})
