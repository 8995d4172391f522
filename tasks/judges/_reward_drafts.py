"""Reward functions on their way: what their writer wrote, what is wrong with it, and how it is run.

Source: Text2Reward (arXiv:2309.11489, section 3.3: execution errors are told back to the writer).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from schemas.exchange import Reply, Request
from tasks.judges import _reward_code

SAMPLES = (
    ("Name a prime number.", "2"), ("Name a prime number.", ""), ("List three fruits.", "- apple\n- pear\n- plum"),
    ("Explain rain.", "Water evaporates, condenses and falls. " * 40),
)  # fmt: skip
"""What every function is tried on before it scores anything."""


@dataclass
class Draft:
    """A function on its way: the conversation with its writer, and what is wrong with the latest version."""

    messages: list[dict[str, str]]
    seed: int
    code: str = ""
    faults: list[str] = field(default_factory=lambda: ["nothing was written"])
    failed: str | None = None
    attempts: int = 0
    spent: list[Reply] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether its writer may be asked again."""
        return bool(self.faults) and self.failed is None


def take(draft: Draft, reply: Reply) -> None:
    """Takes in what the writer wrote."""
    draft.attempts += 1
    draft.spent.append(reply)
    if reply.outcome == "error":
        draft.failed = reply.error or "the call failed"
        return
    draft.messages.append({"role": "assistant", "content": reply.text})
    draft.code = _reward_code.extract(reply.text)
    draft.faults = [f"the reply was {reply.outcome}"] if reply.outcome != "ok" else _reward_code.faults(draft.code)


def try_out(draft: Draft, reply: Reply) -> None:
    """Takes in what came of the samples: every one must have a score."""
    if not reply.choices or not isinstance(reply.choices[0].value, Mapping):
        draft.failed = f"the sandbox failed: {reply.error}"
        return
    found = results(reply, len(SAMPLES))
    if isinstance(found, str):
        draft.faults = [found]
        return
    wrong = [(case, result["error"]) for case, result in zip(SAMPLES, found, strict=True) if "error" in result]
    draft.faults = [f"score({case[0]!r}, {case[1][:40]!r}): {error}" for case, error in wrong]


@cache
def _source(*names: str) -> str:
    """Returns modules of this folder as one program of the sandbox's."""
    texts = [Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in names]
    return re.sub(r"^from (?:tasks|__future__)\b.*\n", "", "".join(texts), flags=re.MULTILINE)


_FUTURE = "from __future__ import annotations\n"


def run(code: str, cases: Sequence[tuple[str, str]], limits: Mapping[str, Any]) -> Request:
    """Returns the sandbox's request to score these prompts and completions.

    The function runs in one process and what calls it in another, which alone can report.
    """
    given = [(prompt, completion) for prompt, completion in cases]
    checker = f"{_FUTURE}INPUT = {given!r}\n{_source('_code_wire', '_reward_checker')}"
    files = {"solution.txt": code, "stub.txt": ""}
    extra = {"language": "python", "limits": limits, "files": files, "checker": checker}
    return Request(model="sandbox", kind="run", text=_FUTURE + _source("_code_wire", "_code_runner"), extra=extra)


def results(reply: Reply, count: int) -> list[dict[str, Any]] | str:
    """Returns what each case gave, or why there is nothing."""
    value = reply.choices[0].value if reply.choices else None
    if not isinstance(value, Mapping):
        return f"the sandbox failed: {reply.error}"
    if value["timed_out"] or value["oom"]:
        return "it ran out of time" if value["timed_out"] else "it ran out of memory"
    report = value["report"]
    if isinstance(report, list) and len(report) == count:
        return report
    return str(report["broken"]) if isinstance(report, dict) else f"it ended early: {str(value['stderr'])[-300:]}"
