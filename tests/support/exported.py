"""Small tables of all that can be exported beside pairs, for tests of exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.messages import assistant, to_rows
from schemas.tables import EXAMPLES, PROMPTS, RANKINGS, SCORES, STEPS, Table

LOG = ("dataset", "run_id", "created_at")


def _table(table: Table, rows: Sequence[Mapping[str, Any]], **base: Any) -> pl.DataFrame:
    key = table.key[-1]
    schema = {name: dtype for name, dtype in table.empty().schema.items() if name not in LOG}
    return pl.DataFrame([{key: f"{key[0]}{i}", **base, **row} for i, row in enumerate(rows)], schema=schema)


def examples(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Returns examples ``e0``, ``e1``, … of prompt ``p``, a question and an answer, but for what a row says."""
    return _table(
        EXAMPLES, rows, prompt_id="p", prompt=to_rows("Q?"), completion=assistant("A"), completion_id="c", recipe="r"
    )


def rankings(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Returns rankings ``r0``, ``r1``, … of prompt ``p``, but for what a row says."""
    return _table(RANKINGS, rows, prompt_id="p", prompt=to_rows("Q?"), recipe="r")


def steps(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Returns stepwise rows ``s0``, ``s1``, … of prompt ``p``, but for what a row says."""
    return _table(STEPS, rows, prompt_id="p", prompt=to_rows("Q?"), recipe="r")


def prompts(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Returns prompts ``p0``, ``p1``, …, but for what a row says."""
    return _table(PROMPTS, rows, messages=to_rows("Q?"))


def scores(*rows: tuple[str, str, float | None], criterion: str = "c") -> pl.DataFrame:
    """Returns scores: prompt, completion, score."""
    made = [
        {"prompt_id": prompt, "completion_id": name, "score": score, "criterion": criterion, "scorer": "mean",
         "judgments": 1}
        for prompt, name, score in rows
    ]  # fmt: skip
    schema = {name: dtype for name, dtype in SCORES.empty().schema.items() if name not in LOG}
    return pl.DataFrame(made, schema=schema)


def chat(*turns: tuple[str, str]) -> list[dict[str, str]]:
    """Returns a conversation as trainers read it: role and text of each turn."""
    return [{"role": role, "content": text} for role, text in turns]


CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}],
}
"""A message that calls a tool, as OpenAI's API has it."""
