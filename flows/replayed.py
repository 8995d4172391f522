"""Completions one already has, as the replay backend is opened with them: checked, and filed by prompt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import DataError
from schemas.ids import content_id
from schemas.messages import from_rows
from tasks.backends.replay import key
from tasks.importers.answers import entry
from tasks.intake import Intake
from tasks.load import taken


def replayed(data: Path, mapping: Mapping[str, str], intake: Intake | None = None) -> dict[str, Any]:
    """Returns what the replay backend is opened with: the file's completions, filed by prompt.

    A null where an answer should be is an answer that is not there: it is kept, empty, and nobody judges it. An answer
    may come as a list of steps: it is their text, a line each, and ``cuts``, where they begin. A pair is two answers
    with a label; a list of answers is as many.

    Raises:
        DataError: no completions, or a field is not what it should be; the message names file, row and field.
    """
    filed: dict[str, list[dict[str, Any]]] = {}
    said = False
    for _, each, record in taken(data, mapping, intake or Intake(), brings=True):
        answers = filed.setdefault(key(from_rows(each.messages)), [])
        for answer in each.answers:
            said = said or answer.messages is not None
            answers.append({**entry(answer), "prompt_id": record["prompt_id"]})
    if not said:
        raise DataError("no row has a completion", file=str(data), field=mapping.get("completion", "completion"))
    return {"completions": filed, "fingerprint": content_id("replay", [[k, v] for k, v in filed.items()])}
