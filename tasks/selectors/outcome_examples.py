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
from schemas.messages import text_of
from tasks.selectors._candidates import candidates
from tasks.selectors._trees import frame


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
    texts = completions.select("completion_id", "messages", "tokens", "token_logprobs")
    found = []
    held = rows.join(texts, on="completion_id", maintain_order="left")
    for group in held.partition_by("prompt_id", maintain_order=True):
        kept = _kept(list(group.iter_rows(named=True)), balanced, most, seed)
        labels = {row["score"] >= 0.5 for row in kept}
        if not (mixed and len(labels) < 2):
            found += [_row(row, split) for row in kept]
    return frame(found, "examples").sort("prompt_id", "completion_id")


def _kept(rows: list[dict[str, Any]], balanced: bool, most: int, seed: int) -> list[dict[str, Any]]:
    if not balanced:
        return rows
    drawn = sorted(rows, key=lambda row: coin(seed, "outcome", row["completion_id"]))
    right = [row for row in drawn if row["score"] >= 0.5]
    wrong = [row for row in drawn if row["score"] < 0.5]
    few, many = balance(len(right), len(wrong), most)
    return right[:few] + wrong[:many]


def balance(right: int, wrong: int, most: int = 4) -> tuple[int, int]:
    """Returns how many right and wrong answers are kept.

    >>> balance(5, 2), balance(0, 6), balance(7, 0)
    ((2, 2), (0, 4), (1, 0))
    """
    return min(right, max(wrong, 1), most), min(wrong, most)


def _row(row: dict[str, Any], split: str) -> dict[str, Any]:
    text = text_of(row["messages"])
    ends = [found.end() for found in re.finditer(split, text) if found.end() < len(text)] + [len(text)]
    meta: dict[str, Any] = {"step_ends": ends}
    if row["token_logprobs"] is not None:
        meta |= {
            "sample_logps": row["token_logprobs"], "action_mask": [1] * len(row["token_logprobs"]),
            "step_token_ends": token_ends(row["tokens"], ends),
        }  # fmt: skip
    return {
        "prompt_id": row["prompt_id"], "completion_id": row["completion_id"], "completion": row["messages"],
        "label": row["score"] >= 0.5, "reward": row["score"], "criterion": row["criterion"],
        "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(),
    }  # fmt: skip


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
