"""Calls a reward function on texts, twice each, and prints what it returned. Runs inside the sandbox.

Source: determinism and finiteness as conditions of a reward function, Eureka (arXiv:2310.12931, appendix).

Standard library only. ``job.json`` holds {code, cases: [[prompt, completion]]}. The one line printed is a list with,
for each case, {"score": number} or {"error": why}; or {"broken": why} where the code does not load.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
from typing import Any


def call(function: Any, prompt: str, completion: str) -> dict[str, Any]:
    """Returns what one case gave."""
    try:
        first, second = function(prompt, completion), function(prompt, completion)
    except MemoryError:
        return {"error": "out of memory"}
    except BaseException as error:  # noqa: BLE001 - whatever a function raises, SystemExit too, is its own fault
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    if isinstance(first, bool) or not isinstance(first, int | float):
        return {"error": f"it returned {type(first).__name__}, not a number"}
    if not math.isfinite(first) or not 0 <= first <= 1:
        return {"error": f"it returned {first}, which is not between 0 and 1"}
    if first != second:
        return {"error": f"it returned {first} and then {second} for the same texts"}
    return {"score": float(first)}


def main() -> None:
    """Prints what the function returned for each case."""
    with open("job.json", encoding="utf-8") as file:
        job = json.load(file)
    space: dict[str, Any] = {"__name__": "reward"}
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(job["code"], "reward.py", "exec"), space)
            found: Any = [call(space["score"], prompt, completion) for prompt, completion in job["cases"]]
        except BaseException as error:  # noqa: BLE001 - as above
            found = {"broken": f"{type(error).__name__}: {error}"[:300]}
    sys.__stdout__.write(json.dumps(found) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
