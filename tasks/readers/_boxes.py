r"""Finds answers in a frame: ``\boxed{42}``, ``<answer>42</answer>``, ``#### 42``, ``{"answer": 42}``.

Source: MATH (arXiv:2103.03874), DeepSeek-R1 (arXiv:2501.12948), GSM8K (arXiv:2110.14168).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import re2  # type: ignore[import-untyped]

from tasks.readers._spans import Span, braced

_BOX = re2.compile(r"\\(?:f?boxed|framebox|fbox)\b|\\f?boxed|\\fbox")
_TOKEN = re.compile(r"\s*([-+]?(?:[$]?\d[\d,.]*\d|\d|[A-Za-z](?![A-Za-z])|\\[A-Za-z]+(?:\{[^{}\n]*\}){0,2}))")
_TAG = re2.compile(
    r"(?i)<(/?)(?:final[_ -]?)?(?:answer|ans|solution|final|output_answer)\s*>|\[(/?)(?:final[_ ]?)?answer\]"
    r"|<\|(begin|end)_of_(?:solution|answer)\|>"
)
_HASHES = re2.compile(r"(?m)#{4}[ \t]*(\S[^\n]*)")
_HEADING = re.compile(r"(?i)\d+[.)]\s+[^\W\d_]|.*:\s*[*_]*$|(?:step|part|case|method|final|answer|conclusion|check)\b")
_VALUE = re.compile(r"[-−+$€£¥₹(\\.\d|√π०-९০-৯౦-౯๐-๙٠-٩*]")
_FIELD = re.compile(r"(?i)(?:final[_ -]?)?(?:answer|result|ans|solution|respuesta|réponse|antwort|答案|ответ|value)$")
_DENIED = re.compile(r"(?i)\b(?:not|never|isn['’]t|n['’]t be|no es|nicht|pas|не)\s+(?:equal to |be )?[$\\(\[]{0,4}$")


def boxes(text: str) -> Iterator[Span]:
    """Yields the contents of closed boxes, in order, the outer of nested ones; an open one runs on to nothing."""
    done = 0
    for match in _BOX.finditer(text):
        if match.start() < done or _DENIED.search(text[max(0, match.start() - 30) : match.start()]):
            continue
        pos = match.end()
        option = re.compile(r"\s*(?:\[[^\]\n]{0,20}\]\s*)?\{").match(text, pos)
        if option:
            close = braced(text, option.end())
            if close < 0:
                yield Span("", match.start(), len(text), at_end=True)
                return
            inside, done = text[option.end() : close], close + 1
            inner = re.fullmatch(r"\s*\\(?:f?boxed|fbox)\s*\{(.*)\}\s*", inside, re.DOTALL)
            yield Span(inner[1] if inner else inside, match.start(), done, at_end=False)
            continue
        token = _TOKEN.match(text, pos)
        if token:
            done = token.end()
            at_end = not text[done:].strip(" $\\).]\n")
            yield Span(token[1].rstrip(".,"), match.start(), done, at_end=at_end)


def tagged(text: str) -> list[Span]:
    """Returns what stands in answer tags, in order; an open last one runs to the end of a text of few lines."""
    out, start, opening = [], -1, 0
    for match in _TAG.finditer(text):
        closes = match.group(1) == "/" or match.group(2) == "/" or match.group(3) == "end"
        if not closes:
            start, opening = match.end(), match.start()
        elif start >= 0:
            out.append(Span(text[start : match.start()].strip(), opening, match.end(), at_end=False))
            start = -1
    if start >= 0:
        out.append(Span(text[start:].strip(), opening, len(text), at_end=True))
    return out


def hashed(text: str) -> Iterator[Span]:
    """Yields what stands behind ``####``; a heading such as ``#### Step 2`` is none."""
    for match in _HASHES.finditer(text):
        if text[match.start() - 1 : match.start()] == "#":
            continue
        inside = match.group(1).strip().rstrip("#").strip()
        last = not text[match.end() :].strip()
        if _HEADING.match(inside) or not inside:
            continue
        if _VALUE.match(inside) or (last and len(inside.split()) <= 6):
            yield Span(inside, match.start(), match.end(), at_end=last and not text[match.end() :])


def fielded(text: str) -> Span | None:
    """Returns the answer field of the JSON object that closes a text, or null."""
    body = text.strip()
    fenced = body.endswith("```")
    body = body.removesuffix("```").rstrip()
    if not body.endswith("}"):
        return None
    starts = [body.rfind("\n{"), body.rfind("```json"), body.find("{"), body.rfind("{")]
    for start in starts:
        brace = body.find("{", start) if start >= 0 else -1
        if brace < 0:
            continue
        try:
            value = json.loads(body[brace:], parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            continue
        answer = _field(value)
        if answer is not None:
            begin = text.find(body[brace:])
            return Span(answer, begin, begin + len(body) - brace, at_end=False)
    del fenced
    return None


def _field(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    names = [name for name in value if _FIELD.match(str(name).strip())]
    final = [name for name in names if "final" in str(name).lower()] or [
        name for name in names if str(name).lower() not in ("solution", "result", "value")
    ]
    for name in final or names:
        inside = value[name]
        if isinstance(inside, list) and all(isinstance(one, str) for one in inside):
            return ", ".join(inside)
        if isinstance(inside, bool):
            return str(inside)
        if isinstance(inside, str):
            return inside.strip()
    return None
