"""Published preference data in its usual shapes, as pairs of messages.

Source: TRL's dataset formats (explicit and implicit prompt, standard and conversational); Anthropic HH; UltraFeedback's
binarized form; PandaLM's and MT-bench's two responses with votes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from schemas.ids import content_id
from schemas.messages import Message, assistant, to_rows
from schemas.tables import PREFERENCES

NAMES = {
    "prompt": ("prompt", "instruction", "question", "query", "input", "context"),
    "chosen": ("chosen", "chosen_response", "response_chosen", "preferred", "winner_response", "better"),
    "rejected": ("rejected", "rejected_response", "response_rejected", "dispreferred", "loser_response", "worse"),
    "first": ("response_1", "response_a", "output_1", "answer_a", "response_0", "completion_a", "answer_0"),
    "second": ("response_2", "response_b", "output_2", "answer_b", "response_1", "completion_b", "answer_1"),
    "label": ("label", "winner", "preference", "gold", "verdict"),
    "chosen_score": ("chosen_score", "score_chosen", "chosen_rating", "chosen-rating"),
    "rejected_score": ("rejected_score", "score_rejected", "rejected_rating", "rejected-rating"),
}
"""Field -> the names it goes by, the commonest first."""
_FIRST = {"1", "a", "model_a", "response_1", "response_a", "first", "chosen_a", "output_1"}
_SECOND = {"2", "b", "model_b", "response_2", "response_b", "second", "chosen_b", "output_2"}


def as_pairs(rows: pl.DataFrame, mapping: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """Returns the pairs of each set of labels: columns of the preferences table, ties and empty texts left out.

    Data with one label a row have one set, ``pairs``; with several annotators, one for each of their columns.

    Args:
        rows: of the file, as they are. mapping: field -> column, before the usual names.

    Raises:
        ValueError: the columns hold no pairs; the message says what was looked for.
    """
    columns = {field: _column(rows, field, mapping) for field in NAMES}
    prompt = columns["prompt"]
    if columns["chosen"] and columns["rejected"]:
        made = [
            _pair(row[prompt] if prompt else None, row[columns["chosen"]], row[columns["rejected"]], row, columns)
            for row in rows.iter_rows(named=True)
        ]
        return {"pairs": _frame(made)}
    one, other = columns["first"], columns["second"]
    labels = [columns["label"]] if columns["label"] else [n for n in rows.columns if n.startswith("annotator")]
    if not one or not other or one == other or not labels:
        raise ValueError(
            f"no pairs in the columns {', '.join(rows.columns)}: expected prompt, chosen and rejected, or two answers "
            "and a label; name the columns with --map chosen=COLUMN,rejected=COLUMN"
        )
    sets = {}
    for label in filter(None, labels):
        made = [_voted(row, label, prompt, one, other) for row in rows.iter_rows(named=True)]
        sets[label if len(labels) > 1 else "pairs"] = _frame(made)
    return sets


def _column(rows: pl.DataFrame, field: str, mapping: Mapping[str, str]) -> str | None:
    if field in mapping:
        if mapping[field] not in rows.columns:
            raise ValueError(f"no column {mapping[field]!r}; there are {', '.join(rows.columns)}")
        return mapping[field]
    return next((name for name in NAMES[field] if name in rows.columns), None)


def _voted(row: Mapping[str, Any], label: str, prompt: str | None, one: str, other: str) -> dict[str, Any] | None:
    vote = str(row[label]).strip().lower().removesuffix(".0")
    if vote not in _FIRST | _SECOND:
        return None
    chosen, rejected = (one, other) if vote in _FIRST else (other, one)
    asked = row[prompt] if prompt else None
    if prompt == "instruction" and isinstance(row.get("input"), str) and row["input"].strip():
        asked = f"{asked}\n\n{row['input']}"
    return _pair(asked, row[chosen], row[rejected], row, {})


def _pair(
    prompt: Any, chosen: Any, rejected: Any, row: Mapping[str, Any], columns: Mapping[str, str | None]
) -> dict[str, Any] | None:
    if chosen is None or rejected is None or [] in (chosen, rejected):
        return None
    one, other = _messages(chosen), _messages(rejected)
    if prompt is None or not _said(prompt):
        shared = next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )
        shared = min(shared, len(one) - 1, len(other) - 1)
        asked, one, other = one[:shared], one[shared:], other[shared:]
    else:
        asked = _messages(prompt, "user")
        one, other = (side[len(asked) :] if side[: len(asked)] == asked else side for side in (one, other))
    scores = {name: row.get(columns[name] or "") for name in ("chosen_score", "rejected_score") if columns.get(name)}
    numbers = {name: float(value) for name, value in scores.items() if isinstance(value, int | float)}
    if len(numbers) == 2:
        numbers["margin"] = numbers["chosen_score"] - numbers["rejected_score"]
    name = content_id("prompt", asked)
    return {
        "prompt_id": name, "prompt": asked, "chosen": one, "rejected": other,
        "chosen_id": content_id("completion", name, one), "rejected_id": content_id("completion", name, other),
        "content_id": content_id("texts", name, one, other), "recipe": "foreign", **numbers,
    }  # fmt: skip


def _said(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _messages(value: Any, role: str = "assistant") -> list[Message]:
    """Returns text as one message, and a dialogue in HH's form or in messages as its turns."""
    if isinstance(value, str):
        if "\n\nHuman:" in value or value.startswith(("Human:", "\n\nHuman:")):
            return _dialogue(value)
        return assistant(value) if role == "assistant" else to_rows(value or " ")
    return to_rows([{key: part for key, part in turn.items() if part is not None} for turn in value])


def _dialogue(text: str) -> list[Message]:
    turns = []
    for part in ("\n\n" + text.strip()).split("\n\nHuman:")[1:]:
        asked, *answers = part.split("\n\nAssistant:")
        turns.append({"role": "user", "content": asked.strip() or " "})
        turns += [{"role": "assistant", "content": answer.strip() or " "} for answer in answers]
    return to_rows(turns)


def _frame(made: list[dict[str, Any] | None]) -> pl.DataFrame:
    """Returns the rows there are, with ids that depend on the row's place, so that doubles stay two rows."""
    rows = [row | {"pair_id": content_id("pair", i, row["content_id"])} for i, row in enumerate(made) if row]
    types = PREFERENCES.empty().schema
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["pair_id", "prompt_id", "chosen", "rejected"]
    return pl.DataFrame(rows, schema={name: types[name] for name in names})
