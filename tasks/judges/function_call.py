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

    Calls are read from ``tool_calls``, or from the text as JSON, in ``<tool_call>`` tags or as Python calls. Their
    order does not count. An attempt at a call that cannot be read is a wrong call; where no call is expected it is
    ``unparsable``, since it may have been one.

    Args:
        prompt: ``tests`` is JSON: the list of functions, or {``functions``, ``expect``}; ``reference`` is JSON: one
            object a call, {function: {argument: [accepted values]}}.
        expect: ``calls`` (the reference's), ``no_call``, or ``any_call`` of a known function. By default what ``tests``
            says, else ``calls`` where there is a reference, else what the ``category`` in the prompt's ``meta`` says
            (``irrelevance``, ``relevance``).

    Returns:
        Rows of judgments; ``meta`` has the ``calls`` that were read.
    """
    tests = json.loads(prompt["tests"])
    functions = _calls.schemas(tests["functions"] if isinstance(tests, Mapping) else tests)
    accepted = json.loads(prompt.get("reference") or "null")
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
        made["meta"] = orjson.dumps(
            {"expect": wanted, "calls": [call._asdict() for call in calls]}, default=str
        ).decode()
        rows.append(made)
    return rows


def _expected(prompt: Row, tests: Any, accepted: Any) -> Expected:
    said = tests.get("expect") if isinstance(tests, Mapping) else None
    for known in get_args(Expected):
        if said == known:
            return cast(Expected, said)
    if accepted:
        return "calls"
    category = str(json.loads(prompt.get("meta") or "{}").get("category", ""))
    if "irrelevance" in category:
        return "no_call"
    if "relevance" in category:
        return "any_call"
    raise ValueError("nothing says what is expected: there is no reference, no 'expect' and no category")


def _fault(calls: list[_calls.Call], wanted: Expected, accepted: Any, functions: dict[str, Any]) -> str | None:
    if wanted == "no_call":
        return f"it calls {calls[0].name}" if calls else None
    if wanted == "any_call":
        known = {*functions, *(name.replace(".", "_") for name in functions)}
        stray = [call.name for call in calls if call.name not in known]
        return "it makes no call" if not calls else f"it calls {stray[0]}, which does not exist" if stray else None
    return _calls.fault(calls, accepted, functions) if calls else "it makes no call"
