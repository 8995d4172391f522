"""Runs math-verify on what comes in, one JSON list a line, and writes one JSON value a line: the worker of `verify`.

Source: math-verify (Hugging Face).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

CPU_S = 3.0  # of this process, so that a busy machine answers the same
_MEMORY = 3 << 30


def _forms(text: str) -> list[Any]:
    from math_verify import LatexExtractionConfig, parse

    config = [LatexExtractionConfig()]
    forms = parse(f"${text}$", config, fallback_mode="no_fallback", parsing_timeout=None)
    return [form for form in forms if not isinstance(form, str)]


def verified(answer: str, reference: str) -> bool | None:
    """Says whether math-verify finds two formulas equal; null where it reads one of them not at all."""
    from math_verify import verify

    wanted, other = _forms(reference), _forms(answer)
    if not wanted or not other:
        return None
    equal = bool(verify(wanted, other, timeout_seconds=None, raise_on_error=True))
    return _near(wanted[0], other[0]) if equal else False


def _near(a: Any, b: Any) -> bool | None:
    """Says whether two formulas agree to forty digits at a point: the library itself rounds to six."""
    from sympy import Expr, N, Rational  # type: ignore[import-untyped]

    if not (isinstance(a, Expr) and isinstance(b, Expr)):
        return True
    difference = a - b
    names = sorted(difference.free_symbols, key=str)
    point = {name: Rational(7 + 3 * i, 11) for i, name in enumerate(names)}
    return True if abs(N(difference.subs(point), 60)) < Rational(1, 10**40) else None


def extracted(text: str) -> str | None:
    """Returns what math-verify takes for the answer of a text, as it stands there."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    forms = parse(text, [LatexExtractionConfig(), ExprExtractionConfig()], parsing_timeout=None)
    return next((form for form in forms if isinstance(form, str)), None)


def main() -> None:
    """Answers requests until there are no more; a request that takes too much CPU or memory ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    verified("1", "1")  # imports
    tasks: dict[str, Any] = {"verified": verified, "extracted": extracted}
    for line in sys.stdin:
        name, *texts = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        try:
            result: Any = tasks[name](*texts)
        except Exception:  # noqa: BLE001 - whatever the library raises is no verdict
            result = None
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(json.dumps(result) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
