"""Calls a reward function through a pipe, twice for each case, and reports what it returned. Runs inside the sandbox.

Source: determinism and finiteness as conditions of a reward function, Eureka (arXiv:2310.12931, appendix).

``INPUT`` is put before this text: a list of (prompt, completion). The function lives in another process, sees one case
at a time and cannot write the report: a list with, for each case, {"score": number} or {"error": why}; or
{"broken": why} where the code does not load or its process is gone.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from tasks.judges._code_wire import decode, receive, send

FROM_PROGRAM, TO_PROGRAM, REPORT = 3, 4, 5


class Raised(Exception):
    """An error of the function's."""


class Unlike:
    """A value that is no plain one."""


def ask(message: Any) -> Any:
    """Returns the program's answer to a message.

    Raises:
        Raised: the function raised.
        EOFError, OSError: the program is gone.
        Exception: it answered what cannot be read.
    """
    send(TO_PROGRAM, message)
    kind, *rest = receive(FROM_PROGRAM)
    if kind == "raise":
        name, text = str(rest[0]), str(rest[1])
        raise Raised("out of memory" if name == "MemoryError" else f"{name}: {text}"[:300])
    if kind != "value":
        raise ValueError("a message of no known kind")
    return decode(rest[0], lambda *_: Unlike())


def call(prompt: str, completion: str) -> dict[str, Any]:
    """Returns what one case gave."""
    try:
        value = ask(["call", "score", ["l", [prompt, completion]], ["d", []]])
    except Raised as error:
        return {"error": str(error)}
    if type(value) not in (int, float):
        return {"error": f"it returned {type(value).__name__}, not a number"}
    if not 0 <= value <= 1 or not math.isfinite(value):
        return {"error": f"it returned {value if type(value) is float else 'a number'}, which is not between 0 and 1"}
    return {"score": float(value)}


def run(cases: list[tuple[str, str]]) -> Any:
    """Returns the report. The second calls come in the opposite order: a score must not depend on what came before."""
    try:
        ask("score")
        first = [call(*case) for case in cases]
        again = [call(*case) for case in reversed(cases)][::-1]
    except Raised as error:
        return {"broken": str(error)}
    except (EOFError, OSError):
        return {"broken": "it ended early"}
    except Exception as error:  # noqa: BLE001 (whatever reading an untrusted message raises)
        return {"broken": f"it gave an answer that cannot be read: {type(error).__name__}"}
    return [_both(one, two) for one, two in zip(first, again, strict=True)]


def _both(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    if one == two or "error" in one:
        return one
    return {"error": f"it returned {one['score']} and then {two.get('score', two)} for the same texts"}


if __name__ == "__main__":
    os.write(REPORT, json.dumps(run(globals()["INPUT"])).encode())
