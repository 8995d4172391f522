"""Whole answers with the outcome of each: what trajectory methods learn from, unpaired.

Source: Free Process Rewards (arXiv:2412.01981, section 3: every answer with its outcome); OREO (arXiv:2412.16145:
as many right as wrong ones, four of each at most); DQO (arXiv:2410.09302: both kinds kept, sampling log-probabilities).

Use it for trajectory methods that want outcomes and token positions, no pairs. It is bad at credit: a right end marks
every step before it as right.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
import polars as pl

from schemas.blocks import selector
from schemas.ids import coin
from tasks.selectors._candidates import candidates


@selector(makes="examples")
def outcome_examples(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    balanced: bool = False,
    most: int = 4,
    mixed: bool = False,
    split: str = r"\n",
    criterion: str | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Returns one row an answer: its reward, its label (reward at least one half), and where its steps end.

    ``meta`` has ``step_ends`` (characters) and, where the sampler kept them, ``sample_logps`` (one a token),
    ``step_token_ends`` (index of each step's last token) and ``action_mask``.

    Args:
        balanced: of a prompt min(right, max(wrong, 1), most) right ones and up to ``most`` wrong ones, drawn by the
            seed. mixed: only prompts with both kinds.
        split: pattern whose matches end a step. criterion: which scores count, where there are several.
    """
    rows = candidates(completions, scores, criterion=criterion, truncated=False)
    right = pl.col("score") >= 0.5
    if mixed:
        rows = rows.filter(right.any().over("group") & ~right.all().over("group"))
    if balanced:
        rows = _balanced(rows, most, seed)
    whole = completions.select("completion_id", "tokens", "token_logprobs", completion="messages")
    held = rows.join(whole, on="completion_id", maintain_order="left")
    content, calls = (pl.element().struct.field(name).replace("", None) for name in ("content", "tool_calls"))
    text = pl.col("completion").list.eval(pl.coalesce(content, calls, pl.lit(""))).list.join("\n\n")
    said = held.select(text, "tokens", "token_logprobs").iter_rows()
    metas = [_meta(words, tokens, logps, split) for words, tokens, logps in said]
    return held.select(
        "prompt_id", "completion_id", "completion", label=right, reward="score", criterion="criterion",
        meta=pl.Series(metas, dtype=pl.String),
    ).sort("prompt_id", "completion_id")  # fmt: skip


def _balanced(rows: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """Returns the candidates of each prompt that are drawn: as many right ones as wrong ones allow, few of both."""
    toss = pl.Series([coin(seed, "outcome", each) for each in rows["completion_id"]], dtype=pl.Float64)
    kept = []
    for group in rows.with_columns(right=pl.col("score") >= 0.5, toss=toss).sort("group", "toss").partition_by("group"):
        sides = group.filter("right"), group.filter(~pl.col("right"))
        few, many = balance(sides[0].height, sides[1].height, most)
        kept += [sides[0].head(few), sides[1].head(many)]
    return pl.concat(kept).drop("right", "toss") if kept else rows


def balance(right: int, wrong: int, most: int = 4) -> tuple[int, int]:
    """Returns how many right and wrong answers are kept.

    >>> balance(5, 2), balance(0, 6), balance(7, 0)
    ((2, 2), (0, 4), (1, 0))
    """
    return min(right, max(wrong, 1), most), min(wrong, most)


def _meta(text: str, tokens: list[str] | None, logps: list[float] | None, split: str) -> str:
    ends = [found.end() for found in re.finditer(split, text) if found.end() < len(text)] + [len(text)]
    meta: dict[str, Any] = {"step_ends": ends}
    if logps is not None and tokens is not None:
        meta |= {"sample_logps": logps, "action_mask": [1] * len(logps), "step_token_ends": token_ends(tokens, ends)}
    return orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode()


def token_ends(tokens: list[str], ends: list[int]) -> list[int]:
    """Returns for each place in the text the index of the token that reaches it; the end token belongs to the last."""
    found, at, place = [], 0, 0
    for end in ends:
        while place < len(tokens) - 1 and at + len(tokens[place]) < end:
            at += len(tokens[place])
            place += 1
        found.append(place)
    if found:
        found[-1] = len(tokens) - 1
    return found
