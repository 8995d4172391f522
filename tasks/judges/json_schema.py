"""Says whether a completion is JSON that satisfies a schema.

Source: JSON Schema, draft 2020-12, by the library jsonschema; JSON by RFC 8259.

Use it where a program reads the answer. It is bad at content: what the schema allows may still be false.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, cut, judgeable, rule

_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL | re.IGNORECASE)


def _checks(*, expected: Mapping[str, Any] | None = None, **_: Any) -> None:
    if expected is not None:
        _validator(expected)


@judge(checks=_checks)
def json_schema(
    prompt: Row,
    completions: Sequence[Row],
    *,
    expected: Mapping[str, Any] | None = None,
    fence: bool = True,
    criterion: str = "format",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its text is one JSON value that the schema allows, else 0.

    A completion cut by its length limit is ``truncated`` unless it passes.

    Args:
        prompt: ``tests`` holds the schema where no parameter gives it: the schema itself, or {``schema``: …}.
        expected: the schema, the same for every prompt.
        fence: a code fence round the whole text is allowed.

    Raises:
        ValueError: there is no schema, or it is not one.
    """
    check = _validator(_schema(prompt) if expected is None else expected)
    rows = []
    for completion in judgeable(completions):
        fault = _fault(text_of(completion["messages"]), fence, check)
        verdict: bool | str = "truncated" if cut(completion) and fault else fault is None
        rows.append(rule(completion, criterion, verdict, why=fault))
    return rows


def _schema(prompt: Row) -> Mapping[str, Any]:
    found = json.loads(prompt.get("tests") or "null")
    if isinstance(found, Mapping) and isinstance(found.get("schema"), Mapping):
        return dict(found["schema"])
    if not isinstance(found, Mapping):
        raise ValueError("neither the parameter 'expected' nor the prompt's tests hold a JSON schema")
    return found


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import exceptions, validators  # type: ignore[import-untyped]
    from referencing import Registry

    kind = validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except exceptions.SchemaError as error:
        raise ValueError(f"the JSON schema is none: {error.message}") from error
    return kind(schema, registry=Registry())  # an empty registry: nothing is fetched from anywhere


def _fault(text: str, fence: bool, check: Any) -> str | None:
    """Returns what is wrong with a text, or null."""
    from jsonschema import exceptions
    from referencing.exceptions import Unresolvable

    fenced = _FENCE.match(text) if fence else None
    try:
        value = json.loads(fenced[1] if fenced else text, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"[:500]
    try:
        worst = exceptions.best_match(check.iter_errors(value))
    except RecursionError:
        return "nested too deeply"
    except Unresolvable as error:
        raise ValueError(f"the JSON schema refers to what it does not hold: {error}") from error
    return None if worst is None else f"at {worst.json_path}: {worst.message}"[:500]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object holds a name twice")
    return found
