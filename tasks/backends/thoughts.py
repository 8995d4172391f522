"""Thoughts and answer, told apart where a server hands over both in one text.

Source: the chat templates of DeepSeek-R1 and Qwen3 (``<think>``; the opening tag may stand in the prompt), Magistral
(``[THINK]``), Seed-OSS, Kimi, Sky-T1 (``<|begin_of_thought|>``), Gemini (``<thought>``) and gpt-oss (channels).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

TAGS = (
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"), ("[THINK]", "[/THINK]"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"), ("<seed:think>", "</seed:think>"), ("◁think▷", "◁/think▷"),
)  # fmt: skip
_BARE = ("</think>", "[/THINK]", "</seed:think>", "◁/think▷")
_CHANNEL = re.compile(r"\s*<\|channel\|>\s*analysis\s*<\|message\|>")
_FINAL = re.compile(r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>\s*final\s*<\|message\|>")
_SOLUTION = re.compile(r"\s*<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>\s*)?", re.DOTALL)
_QUOTES = "`'\"“”"


class Parts(NamedTuple):
    """A text in two.

    Attributes:
        answer: what is left without the thoughts. thoughts: null where there are none. unfinished: they never ended,
            so that there is no answer.
    """

    answer: str
    thoughts: str | None = None
    unfinished: bool = False


def split(text: str) -> Parts:
    r"""Returns the thoughts that stand before an answer, and the answer; a tag within the answer is part of it.

    >>> split("<think>hm</think>\n\n4")
    Parts(answer='4', thoughts='hm', unfinished=False)
    >>> split("Write `</think>` after them.").thoughts is None
    True
    """
    rest, thoughts = text, list[str]()
    while True:
        start = rest.lstrip()
        tag = next((pair for pair in TAGS if start.startswith(pair[0])), None)
        if tag is None:
            break
        inner, close, rest = start[len(tag[0]) :].partition(tag[1])
        thoughts.append(inner.strip())
        if not close:
            return Parts("", _joined(thoughts), True)
    if not thoughts:
        return _channels(text) or _bare(text) or Parts(text)
    answer = rest.lstrip()
    if (solution := _SOLUTION.fullmatch(answer)) is not None:
        answer = solution[1].strip()
    return Parts(answer, _joined(thoughts))


def _channels(text: str) -> Parts | None:
    start = _CHANNEL.match(text)
    if start is None:
        return None
    final = _FINAL.search(text, start.end())
    if final is None:
        return Parts("", text[start.end() :].strip() or None, True)
    answer = text[final.end() :].removesuffix("<|return|>").removesuffix("<|end|>")
    return Parts(answer, text[start.end() : final.start()].strip() or None)


def _bare(text: str) -> Parts | None:
    """Splits at a closing tag whose opening one stood at the end of the prompt."""
    for close in _BARE:
        before, found, after = text.partition(close)
        if found and close.replace("/", "") not in before and not before.rstrip(" ").endswith(tuple(_QUOTES)):
            if before.count("```") % 2:
                continue
            return Parts(after.lstrip(), before.strip() or None)
    return None


def _joined(thoughts: list[str]) -> str | None:
    return "\n\n".join(part for part in thoughts if part) or None


def spoken(message: Any) -> str | None:
    """Returns the thoughts that a message holds apart from its content, in any of the fields servers use."""
    for name in ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks", "thoughts"):
        if found := _text(message.get(name)):
            return found
    return None


def is_thought(part: Any) -> bool:
    """Whether a part of a content is a thought."""
    kind = str(part.get("type") or "")
    return part.get("thought") is True or "thinking" in kind or "reasoning" in kind or kind == "thought"


def of_part(part: Any) -> str | None:
    """Returns what a thought part says; nothing where that is encrypted."""
    names = ("thinking", "reasoning", "text", "content", "summary")
    return next((found for name in names if (found := _text(part.get(name)))), None)


def _text(value: Any) -> str | None:
    """Returns the text in a field: a string, or a list of strings and parts."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, dict):
        return of_part(value)
    if isinstance(value, list):
        return _joined([found for item in value[:1000] if (found := _text(item))])
    return None
