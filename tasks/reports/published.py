"""Published preference data in its usual shapes, as pairs of messages.

Source: TRL's dataset formats (explicit and implicit prompt, standard and conversational); Anthropic HH; UltraFeedback's
binarized form; the sets with two answers and a label that ``_choices`` names; ShareGPT turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import polars as pl

from schemas.ids import content_id
from schemas.messages import Message, assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.reports import _choices

NAMES = {
    "prompt": ("prompt", "instruction", "question", "query", "input", "context", "history", "conversations", "info"),
    "chosen": ("chosen", "chosen_response", "response_chosen", "preferred", "winner_response", "better"),
    "rejected": (
        "rejected",
        "rejected_response",
        "response_rejected",
        "dispreferred",
        "loser_response",
        "worse_answer",
    ),
    "chosen_score": ("chosen_score", "score_chosen", "chosen_rating", "chosen-rating"),
    "rejected_score": ("rejected_score", "score_rejected", "rejected_rating", "rejected-rating"),
}
"""Field -> the names it goes by, the commonest first."""
FIELDS = (*NAMES, "first", "second", "label", "better")
"""Fields that a mapping may name a column for."""
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}
_SAYS = ("full_text", "post", "text", "content", "article")


def as_pairs(rows: pl.DataFrame, mapping: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """Returns the pairs of each set of labels: columns of the preferences table, ties and empty texts left out.

    Data with one label a row have one set, ``pairs``; with several annotators, one for each of their columns. A row
    with a list of scored answers gives its best and its worst.

    Args:
        rows: of the file, as they are. mapping: field -> column, before the usual names.

    Raises:
        ValueError: the columns hold no pairs, or it is not clear which answer a label means; the message says so.
    """
    for field, column in mapping.items():
        if field not in FIELDS:
            raise ValueError(f"no field {field!r} to map; there are {', '.join(FIELDS)}")
        if column not in rows.columns:
            raise ValueError(f"no column {column!r}; there are {', '.join(rows.columns)}")
    columns = {field: _column(rows, field, mapping) for field in NAMES}
    prompt, chosen, rejected = columns["prompt"], columns["chosen"], columns["rejected"]
    if chosen and rejected:
        made = [
            _pair(row[prompt] if prompt else None, row[chosen], row[rejected], row, columns)
            for row in rows.iter_rows(named=True)
        ]
        return {"pairs": _frame(made)}
    sides = _choices.answers(rows, mapping)
    several = next((name for name in _choices.LISTS if isinstance(rows.schema.get(name), pl.List)), None)
    voting = _choices.votes(rows, mapping) if sides or several else {}
    if voting:
        sets = {
            name: _frame([_voted(row, vote, prompt, sides, several) for row in rows.iter_rows(named=True)])
            for name, vote in voting.items()
        }
        return sets if len(sets) > 1 else {"pairs": sets.popitem()[1]}
    if several:
        return {"pairs": _frame([_spread(row, prompt, several) for row in rows.iter_rows(named=True)])}
    raise ValueError(
        f"no pairs in the columns {', '.join(rows.columns)}: expected prompt, chosen and rejected, or two answers "
        "and a label; name the columns with --map chosen=COLUMN,rejected=COLUMN or first=…,second=…,label=…"
    )


def _column(rows: pl.DataFrame, field: str, mapping: Mapping[str, str]) -> str | None:
    return mapping.get(field) or next((name for name in NAMES[field] if name in rows.columns), None)


def _voted(
    row: Mapping[str, Any], vote: _choices.Vote, prompt: str | None, sides: tuple[str, str] | None, several: str | None
) -> dict[str, Any] | None:
    better = vote(row)
    texts = (row[sides[0]], row[sides[1]]) if sides else _choices.two(row, several or "")
    if better is None or texts is None:
        return None
    chosen, rejected = texts if better == "first" else texts[::-1]
    return _pair(_asked(row, prompt), chosen, rejected, row, {})


def _spread(row: Mapping[str, Any], prompt: str | None, column: str) -> dict[str, Any] | None:
    found = _choices.best_and_worst(row, column)
    if found is None:
        return None
    marks = {"chosen_score": found[2], "rejected_score": found[3]}
    return _pair(_asked(row, prompt), found[0], found[1], marks, {name: name for name in marks})


def _asked(row: Mapping[str, Any], prompt: str | None) -> Any:
    asked = row[prompt] if prompt else None
    if prompt == "instruction" and isinstance(row.get("input"), str) and row["input"].strip():
        return f"{asked}\n\n{row['input']}"
    return asked


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
    """Returns text as one message, and a dialogue in HH's form, as a JSON list or in messages as its turns."""
    if isinstance(value, Mapping) and not {"role", "from"} & set(value):
        value = next((value[name] for name in _SAYS if isinstance(value.get(name), str)), "")
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, str):
        if "\n\nHuman:" in value or value.startswith(("Human:", "\n\nHuman:")):
            return _dialogue(value)
        texts = _listed(value)
        value = value if texts is None else "\n\n".join(texts)
        return assistant(value) if role == "assistant" else to_rows(value or " ")
    return to_rows([_turn(turn) for turn in value])


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    if "from" in turn:  # ShareGPT
        return {"role": _ROLES.get(turn["from"], turn["from"]), "content": turn.get("value") or " "}
    return {key: part for key, part in turn.items() if part is not None}


def _listed(text: str) -> list[str] | None:
    """Returns the texts of a JSON list of texts, as the arena sets write their turns; null for any other text."""
    if not text.startswith('["'):
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return [str(part) for part in found if part]


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
