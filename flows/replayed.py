"""Completions one already has, as the replay backend is opened with them: checked, and filed by prompt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import DataError
from schemas.ids import content_id
from schemas.messages import from_rows
from tasks import load
from tasks.backends.replay import key
from tasks.read import read_rows
from tasks.texts.pieces import joined

_FIELDS = ("policy", "label", "score", "logprob", "on_policy_age", "first_error")


def replayed(data: Path, mapping: Mapping[str, str]) -> dict[str, Any]:
    """Returns what the replay backend is opened with: the file's completions, filed by prompt.

    A null where an answer should be is an answer that is not there: it is kept, empty, and nobody judges it. An answer
    may come as a list of steps: it is their text, a line each, and ``cuts``, where they begin.

    Raises:
        DataError: no completions, or a field is not what it should be; the message names file, row and field.
    """
    rows, file = read_rows(data), str(data)
    column = mapping.get("completion", "completion")
    if column not in rows.columns:
        raise DataError("no column 'completion'; map it with --map completion=COLUMN", file=file, field=column)
    if rows[column].null_count() == rows.height:
        raise DataError("no row has a completion", file=file, field=column)
    prompts = load.prompts(rows, mapping, file=file)
    keys = {row["prompt_id"]: key(from_rows(row["messages"])) for row in prompts.iter_rows(named=True)}
    filed: dict[str, list[dict[str, Any]]] = {}
    names = {name: mapping.get(name, name) for name in _FIELDS}
    names = {name: found for name, found in names.items() if found in rows.columns}
    if "score" not in mapping and "score" in names and not rows["score"].dtype.is_numeric():
        del names["score"]  # a column of that name that means something else
    ids = load.prompt_ids(rows, mapping, file=file)
    for number, (row, prompt_id) in enumerate(zip(rows.iter_rows(named=True), ids, strict=True), start=1):
        text = _text(row[column])
        if text is None:
            found = type(row[column]).__name__ + " of other than texts" * isinstance(row[column], list)
            raise DataError(f"expected the completion's text, found {found}", file=file, row=number, field=column)
        entry = {**text, **{name: row[found] for name, found in names.items()}}
        _check_rating(entry, names, file, number)
        filed.setdefault(keys[prompt_id], []).append({**entry, "prompt_id": prompt_id})
    return {"completions": filed, "fingerprint": content_id("replay", [[k, v] for k, v in filed.items()])}


def _text(value: Any) -> dict[str, Any] | None:
    if value is None or isinstance(value, str):
        return {"text": value or ""}
    if not isinstance(value, list) or not all(isinstance(step, str) for step in value):
        return None
    text, cuts = joined(value)
    return {"text": text, "cuts": cuts}


def _check_rating(entry: dict[str, Any], names: Mapping[str, str], file: str, number: int) -> None:
    """Makes a label true or false, a score a number, an age a whole one; raises DataError where they are not."""
    label, score, age = entry.get("label"), entry.get("score"), entry.get("on_policy_age")
    if label is not None and label not in (True, False):  # 1, 0, 1.0 and 0.0 are in it
        hint = "; map a graded column as score" if isinstance(label, int | float) else ""
        raise DataError(f"expected true or false, found {label!r}{hint}", file=file, row=number, field=names["label"])
    if label is not None:
        entry["label"] = bool(label)
    if score is not None and (isinstance(score, str) or not math.isfinite(score)):
        raise DataError(f"expected a number, found {score!r}", file=file, row=number, field=names["score"])
    step = entry.get("first_error")
    if isinstance(step, bool) or not (step is None or isinstance(step, int | float | str)):
        raise DataError(f"expected a step's number, found {step!r}", file=file, row=number, field=names["first_error"])
    if age is not None:
        if not isinstance(age, int | float) or isinstance(age, bool) or age < 0 or age != age // 1:
            why = f"expected how many rounds old the answer is, from 0, found {age!r}"
            raise DataError(why, file=file, row=number, field=names["on_policy_age"])
        entry["on_policy_age"] = int(age)
