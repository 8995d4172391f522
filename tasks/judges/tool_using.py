"""Has a model grade an answer after it has checked it with tools: a calculator, programs, queries, your functions.

Source: Themis (arXiv:2310.01045, section 3: thought, action, observation, then a score).

Use it where an answer can be checked: numbers, code, data. It is bad at speed, several calls a completion one after the
other, and a model that does not know what to check gains little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply, Request
from schemas.messages import text_of
from tasks.judges import _grades, _tools
from tasks.judges._ask import Ask, seed_of, sheet
from tasks.judges._rows import Row, judgeable, with_cost_of
from tasks.judges._text import harmless
from tasks.readers.structured import after_thinking, objects

RUBRIC = "How much does the answer help the person who set the task: is it correct, complete, clear and to the point?"
LAST = "\n\nNo further tool can be used. Give your reason, and end with the JSON object that holds your score."


@dataclass
class Talk:
    """The conversation about one completion, so far."""

    completion: Row
    messages: list[dict[str, str]]
    word: str
    spent: list[Reply] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)
    verdict: Reply | None = None
    pending: tuple[str, str] | None = None


@judge(asks=True, runs=True)
def tool_using(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    tools: Sequence[str] = ("calculator", "python"),
    rounds: int = 4,
    wall_s: float = 10.0,
    rubric: str = RUBRIC,
    lowest: int = 1,
    highest: int = 10,
    criterion: str = "overall",
    temperature: float = 0.0,
    max_tokens: int = 768,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the score given after at most so many uses of tools.

    ``meta.actions`` holds each use: tool, input, status (``ok``, ``failed``, ``timeout``, ``error``) and what it said,
    word for word. A tool that fails is told to the judge and is never a score. A reply that asks for a tool after the
    last round, or gives no score, is ``unparsable``.

    Args:
        model: SPEC of the judge.
        tools: of ``calculator``; ``python`` and ``sql`` (in the sandbox, the latter on the database that the prompt's
            ``tests`` set up); ``module:function`` (called with the input as text; what it returns is shown).
        rounds: tool uses a completion. wall_s: seconds a program may run.
        lowest, highest: ends of the scale, both allowed.

    Raises:
        ValueError: an unknown tool, or a scale without room.
    """
    _grades.check_scale(lowest, highest)
    _tools.check(tools)
    held = judgeable(completions)
    scale = {"rubric": rubric, "lowest": str(lowest), "highest": str(highest), "tools": _tools.described(tools)}
    page = sheet(__file__, prompt, scale)
    ask = Ask(model, page.version, seed_of(seed, prompt), temperature, max_tokens)
    talks = []
    for row in held:
        text = harmless(text_of(row["messages"]))
        word = page.word(text)
        talks.append(Talk(row, [{"role": "user", "content": page({"answer": text}, word)}], word))
    for left in range(rounds, -1, -1):
        speaking = [talk for talk in talks if talk.verdict is None]
        if not speaking:
            break
        replies = yield [replace(ask(""), messages=list(talk.messages)) for talk in speaking]
        for talk, reply in zip(speaking, replies, strict=True):
            _hear(talk, reply, tools if left else ())
        running = [(talk, program) for talk in talks if (program := _program(talk, prompt, wall_s)) is not None]
        results = (yield [program for _, program in running]) if running else []
        for (talk, _), result in zip(running, results, strict=True):
            _observe(talk, *_tools.ran(result), last=left == 1)
        for talk in talks:
            if talk.pending is not None:
                _observe(talk, *_tools.called(*talk.pending), last=left == 1)
    return [_row(talk, (lowest, highest), criterion, (page.task, rubric)) for talk in talks]


def _hear(talk: Talk, reply: Reply, tools: Sequence[str]) -> None:
    """Takes in what the judge said: a call of a tool, or its verdict."""
    call = _call(reply.text) if reply.outcome == "ok" else None
    if call is None or not tools:
        talk.verdict = reply
        return
    talk.spent.append(reply)
    talk.messages.append({"role": "assistant", "content": reply.text})
    talk.pending = call
    if call[0] not in tools:
        _observe(talk, "failed", f"there is no tool {call[0]!r}; there are {', '.join(tools)}")


def _call(text: str) -> tuple[str, str] | None:
    """Returns the tool and the input that the last JSON object of a reply asks for, or null."""
    found = objects(text, after_thinking(text))
    last: Mapping[str, Any] = found[-1][0] if found else {}
    if not isinstance(last.get("tool"), str) or last.get("input") is None:
        return None
    return last["tool"].strip(), str(last["input"])


def _program(talk: Talk, prompt: Row, wall_s: float) -> Request | None:
    return _tools.program(*talk.pending, prompt.get("tests"), wall_s) if talk.pending else None


def _observe(talk: Talk, status: str, said: str, *, last: bool = False) -> None:
    """Takes in what a tool said, and shows it to the judge."""
    assert talk.pending is not None
    tool, given = talk.pending
    talk.actions.append({"tool": tool, "input": given, "status": status, "said": said})
    shown = harmless(said)
    fenced = f"=== result {talk.word} ===\n{shown}\n=== end of result {talk.word} ==="
    talk.messages.append({"role": "user", "content": f"The tool says ({status}):\n\n{fenced}{LAST if last else ''}"})
    talk.pending = None


def _row(talk: Talk, scale: tuple[int, int], criterion: str, material: tuple[str, ...]) -> Row:
    assert talk.verdict is not None
    said = [harmless(action["said"]) for action in talk.actions]
    meta = {"actions": talk.actions}
    row = _grades.row(talk.completion, talk.verdict, scale, criterion, (*material, *said), meta)
    return with_cost_of(row, *talk.spent)
