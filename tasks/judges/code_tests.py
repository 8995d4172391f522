"""Says whether a program passes its unit tests, by running both in a sandbox.

Source: HumanEval (arXiv:2107.03374, section 2.2: functional correctness); MBPP (arXiv:2108.07732).

Use it wherever programs come with tests. It is bad at what the tests leave out: style, speed, and inputs nobody thought
of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply, Request
from schemas.messages import text_of
from tasks.judges._code_runner import preamble
from tasks.judges._rows import Row, cut, judgeable, rule

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_OWN_IMPORT = re.compile(r"^from (?:tasks|__future__)\b.*\n", re.MULTILINE)
SANDBOX = "sandbox"
_FUTURE = "from __future__ import annotations\n"


@judge(needs=("tests",), asks=True)
def code_tests(
    prompt: Row,
    completions: Sequence[Row],
    *,
    cpu_s: float = 10.0,
    wall_s: float = 30.0,
    memory_mb: int = 512,
    criterion: str = "correct",
) -> Exchange:
    """Returns one judgment a completion: score 1 where every test passes, else 0.

    The solution runs in one process and the tests in another, which alone can report: what the solution prints, exits
    with, overrides or compares equal to changes nothing. Running out of time or memory is a fail. Tests that cannot
    run, and a sandbox that failed, are the outcome ``error``; a completion cut by its length limit that fails is
    ``truncated``.

    Args:
        prompt: ``tests`` is Python text, or JSON: a list of asserts; or an object with ``test`` (text) or
            ``test_list``, and optionally ``entry_point``, ``test_setup_code`` and ``stub`` (the code to complete; by
            default the code in the last message that defines the entry point).
        cpu_s, wall_s, memory_mb: limits of one run.

    Returns:
        Rows of judgments; ``meta`` has ``passed``, ``tests``, ``errors`` (one a test, null where it passed), ``means``.
    """
    given = read_tests(prompt)
    limits = {"cpu_s": cpu_s, "wall_s": wall_s, "memory_mb": memory_mb}
    held = judgeable(completions)
    requests = [_request(text_of(row["messages"]), given, limits) for row in held]
    replies = (yield requests) if requests else []
    return [_read(row, reply, criterion) for row, reply in zip(held, replies, strict=True)]


def read_tests(prompt: Row) -> dict[str, Any]:
    """Returns {setup, tests, entry, preamble, stub} of a prompt's tests.

    Raises:
        ValueError: there are none, or they are of no known form.
    """
    text = prompt["tests"]
    try:
        found = json.loads(text)
    except ValueError:
        found = {"test": text}
    if isinstance(found, list):
        found = {"test_list": found}
    if not isinstance(found, Mapping) or not (found.get("test") or found.get("test_list")):
        raise ValueError("tests hold neither a test nor a test_list")
    tests = [found["test"]] if found.get("test") else [*found["test_list"]]
    entry = found.get("entry_point")
    stub = found.get("stub")
    if stub is None:
        stub = _stub(prompt, entry) if entry else ""
    return {
        "setup": found.get("test_setup_code") or "", "tests": tests, "entry": entry, "stub": stub,
        "preamble": preamble(stub, entry) if entry else "",
    }  # fmt: skip


def _stub(prompt: Row, entry: str) -> str:
    """Returns the code of the last message that begins the function asked for; empty where there is none."""
    text = text_of(prompt["messages"][-1:])
    for candidate in (*(block[3] for block in _FENCE.finditer(text)), text):
        if re.search(rf"^(?:async )?(?:def|class) {re.escape(entry)}\b", candidate, re.MULTILINE):
            return candidate
    return ""


def extract(text: str, entry: str | None) -> str:
    """Returns the code of an answer: its fenced block that defines the entry point, else all of its Python blocks.

    An answer without a fence is code as it stands.
    """
    blocks = [(block[2].lower(), block[3]) for block in _FENCE.finditer(text)]
    code = [body for name, body in blocks if name in ("", "python", "py", "python3")]
    if not code:
        return text
    if entry:
        for body in code:
            if re.search(rf"^(?:(?:async )?def|class) {re.escape(entry)}\b", body, re.MULTILINE):
                return body
    return "\n".join(code)


@lru_cache
def _source(name: str) -> str:
    parts = ("wire", "names", "checker") if name == "checker" else ("wire", name)
    texts = [Path(__file__).with_name(f"_code_{part}.py").read_text(encoding="utf-8") for part in parts]
    return _OWN_IMPORT.sub("", "".join(texts))


def _request(text: str, given: dict[str, Any], limits: dict[str, Any]) -> Request:
    sent = {name: given[name] for name in ("setup", "tests", "entry", "preamble")}
    return Request(
        model=SANDBOX,
        kind="run",
        text=_FUTURE + _source("runner"),
        extra={
            "language": "python",
            "limits": limits,
            "files": {"solution.txt": extract(text, given["entry"]), "stub.txt": given["stub"]},
            "checker": f"{_FUTURE}INPUT = {sent!r}\n{_source('checker')}",
        },
    )


def _read(row: Row, reply: Reply, criterion: str) -> Row:
    if not reply.choices:
        return rule(row, criterion, "error", why=reply.error)
    value: dict[str, Any] = reply.choices[0].value
    report = value.get("report") or {}
    results: list[str | None] | None = report.get("results")
    ended = next((why for why in ("timed_out", "oom", "flooded") if value[why]), None)
    meta: dict[str, Any] = {"means": value["means"], "seconds": value["seconds"]}
    if report.get("broken"):
        made = rule(row, criterion, "error", why=f"the tests could not run: {report['broken']}"[:2000])
    else:
        passed = bool(results) and all(result is None for result in results or [])
        silent = f"the tests gave no report: {value.get('checker_error') or ''}".strip(" :")[:2000]
        first = next((result for result in results or [] if result), None) if results is not None else silent
        why = None if passed else {"timed_out": "out of time", "oom": "out of memory"}.get(ended or "", ended) or first
        meta |= {"tests": len(results or []), "passed": sum(r is None for r in results or []), "errors": results}
        made = rule(row, criterion, "truncated" if cut(row) and not passed else passed, why=why)
    return made | {"latency_s": reply.latency_s, "meta": orjson.dumps(meta).decode()}
