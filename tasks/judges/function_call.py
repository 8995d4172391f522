"""Says whether a completion makes the accepted function calls, or rightly makes none.

Source: Berkeley Function Calling Leaderboard (Gorilla, arXiv:2305.15334): AST match, relevance, irrelevance.

Use it for calls with known right arguments. It is bad at calls that differ in words and do the same, and at what the
call then leads to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

import orjson

from schemas.blocks import judge
from tasks.judges import _calls
from tasks.judges._rows import Row, cut, judgeable, rule

Expected = Literal["calls", "no_call", "any_call"]


@judge(needs=("tests",))
def function_call(
    prompt: Row, completions: Sequence[Row], *, expect: Expected | None = None, criterion: str = "correct"
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its calls are the accepted ones, else 0.

    Calls are read from the ``tool_calls`` of the assistant's messages, or from their text as JSON, in ``<tool_call>``
    tags or as Python calls, with the literals of Java and JavaScript, too. Their order does not count. An attempt at a
    call that cannot be read is a wrong call; where no call is expected it is ``unparsable``, as it may have been one.

    Args:
        prompt: ``tests`` is JSON: the list of functions, or {``functions``, ``expect``}; ``reference`` is JSON: one
            object a call, {function: {argument: [accepted values]}}.
        expect: ``calls`` (the reference's), ``no_call``, or ``any_call`` of a known function. By default what ``tests``
            says, else ``calls`` where the reference lists any, else what the ``category`` in the prompt's ``meta``, or
            its ``task``, says (``irrelevance``, ``relevance``), else ``no_call`` where the reference is an empty list.

    Returns:
        Rows of judgments; ``meta`` has the ``calls`` that were read.
    """
    tests = json.loads(prompt["tests"])
    functions = _calls.schemas(tests["functions"] if isinstance(tests, Mapping) and "functions" in tests else tests)
    accepted = _calls.accepted(prompt.get("reference"))
    wanted = expect or _expected(prompt, tests, accepted)
    rows = []
    for completion in judgeable(completions):
        calls, unread = _calls.read(completion["messages"])
        why = "a call that cannot be read" if unread else _fault(calls, wanted, accepted, functions)
        verdict: bool | str = why is None
        if unread and wanted == "no_call":
            verdict = "unparsable"
        elif cut(completion) and why is not None:
            verdict = "truncated"
        made = rule(completion, criterion, verdict, why=why, flags=["malformed_call"] if unread else [])
        made["meta"] = _meta(wanted, calls)
        rows.append(made)
    return rows


def _meta(wanted: str, calls: Sequence[_calls.Call]) -> str:
    try:
        return orjson.dumps({"expect": wanted, "calls": [call._asdict() for call in calls]}, default=str).decode()
    except TypeError:  # a number of more than 64 bits, a key that is no text, half a character
        told = [{"name": ascii(call.name), "arguments": ascii(call.arguments)} for call in calls]
        return orjson.dumps({"expect": wanted, "calls": told}).decode()


def _expected(prompt: Row, tests: Any, accepted: Any) -> Expected:
    wanted = tests.get("expect") if isinstance(tests, Mapping) else None
    for known in get_args(Expected):
        if wanted == known:
            return cast(Expected, wanted)
    if accepted:
        return "calls"
    category = _category(prompt)
    if "irrelevance" in category:
        return "no_call"
    if "relevance" in category:
        return "any_call"
    if accepted is not None:
        return "no_call"  # the list of accepted calls is there, and empty
    raise ValueError(
        f"nothing says what is expected: the reference is null, tests have no 'expect' (allowed are "
        f"{', '.join(get_args(Expected))}), and the category is {category!r}, neither irrelevance nor relevance"
    )


def _category(prompt: Row) -> str:
    """Returns the category of a prompt: from its ``meta``, else its ``task``."""
    meta = json.loads(prompt.get("meta") or "null")
    found = meta.get("category") if isinstance(meta, Mapping) else None
    return str(found or prompt.get("task") or "").lower()


def _fault(calls: list[_calls.Call], wanted: Expected, accepted: Any, functions: dict[str, Any]) -> str | None:
    if wanted == "no_call":
        return f"it calls {calls[0].name}" if calls else None
    if wanted == "any_call":
        known = {*functions, *(name.replace(".", "_") for name in functions)}
        stray = [call.name for call in calls if call.name not in known]
        return "it makes no call" if not calls else f"it calls {stray[0]}, which does not exist" if stray else None
    return _calls.fault(calls, accepted, functions) if calls else "it makes no call"
