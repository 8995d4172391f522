"""Which column holds what, by the names that published sets give them; a mapping comes before every name.

Source: TRL's dataset formats; LLaMA-Factory's and Axolotl's columns; UltraFeedback, Nectar, RewardBench 2 and RM-Bench.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from schemas.errors import DataError, nearest

PROMPT_FIELDS = ("prompt", "reference", "task", "tests", "source", "split", "language", "group", "prompt_id")
COMPLETION_FIELDS = ("completion", "policy", "label", "score", "logprob", "sample", "on_policy_age", "first_error")
BESIDE_FIELDS = (
    "system", "history", "input", "chosen", "rejected", "chosen_score", "rejected_score", "first", "second", "better",
)  # fmt: skip
FIELDS = (*PROMPT_FIELDS, *COMPLETION_FIELDS, *BESIDE_FIELDS)
"""Fields that a mapping may name a column for."""

PROMPT = ("prompt", "messages", "conversations", "conversation", "instruction")
"""Columns that are a prompt wherever they stand."""
BESIDE_ANSWERS = (*PROMPT, "question", "query", "input", "context", "history", "info")
"""Columns that are the prompt where a pair, or a list of answers, stands beside them."""
NAMES = {
    "completion": ("completion", "response", "output"),
    "chosen": ("full_chosen", "chosen", "chosen_response", "response_chosen", "preferred", "winner_response", "better"),
    "rejected": (
        "full_rejected", "rejected", "rejected_response", "response_rejected", "dispreferred", "loser_response",
        "worse_answer",
    ),
    "chosen_score": ("chosen_score", "score_chosen", "chosen_rating", "chosen-rating", "chosen_reward"),
    "rejected_score": ("rejected_score", "score_rejected", "rejected_rating", "rejected-rating", "rejected_reward"),
    "label": ("label", "kto_tag"),
    "score": ("score", "reward"),
}  # fmt: skip
"""Field -> the names it goes by, the commonest first."""
SYSTEM_BESIDE = PROMPT
"""Prompt columns beside which a column ``system`` is the system message, as LLaMA-Factory and Axolotl have it."""


def column(row: Mapping[str, Any], field: str, mapping: Mapping[str, str], names: Iterable[str] = ()) -> str | None:
    """Returns the column that holds a field in a row: the mapped one, else the first of its names that is not null.

    Where all are null it is the first that is there, and null where none is.
    """
    if field in mapping:
        return mapping[field]
    there = [name for name in names or NAMES.get(field, (field,)) if name in row]
    free = [name for name in there if name not in mapping.values()]
    return next((name for name in free if row[name] is not None), next(iter(free), None))


def check_mapping(mapping: Mapping[str, str], columns: Collection[str], file: str) -> None:
    """Raises DataError for a column that a mapping names and the file does not have."""
    for field, name in mapping.items():
        if name not in columns:
            raise DataError(f"no such column for {field!r}; {nearest(name, columns)}", file=file, field=name)
