"""Reads a judge's reply: JSON, ``[[A]]`` or a last line; anything unclear is no verdict.

Source: MT-bench's ``[[A]]`` and ``[[7]]`` (arXiv:2306.05685, appendix A). Verdicts that differ within one reply are
none, where published parsers take the first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Winner = Literal["A", "B", "tie"]

_NAMES: dict[str, Winner] = {
    "a": "A", "1": "A", "first": "A", "b": "B", "2": "B", "second": "B",
    "tie": "tie", "c": "tie", "draw": "tie", "equal": "tie", "both": "tie",
}  # fmt: skip
_BRACKETS = re.compile(r"\[\[([^\[\]\n]{1,20})\]\]")
_NOUN = re.compile(
    r"^(?:the\s+)?(?:(?:answer|response|assistant|option|candidate|completion)[\s_-]+(?=\S))?|\s+(?:answer|one)$"
)
_LEAD = re.compile(
    r"^\W*(?:(?:so|therefore|thus|hence)\W+)?(?:(?:my|the)\s+)?(?:final\s+|overall\s+)?"
    r"(?:winner|verdict|judge?ment|choice|decision|preference|answer|better\s+answer|score|rating|grade)\s*(?:is|:|=)\s*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"([-−+]?\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*(\d+(?:\.\d+)?))?")
_REASONS = ("rationale", "reasoning", "reason", "explanation", "justification", "feedback")


class Reading(NamedTuple):
    """What a reply says: the verdict (null where it says none, or two) and its reason where it names one."""

    value: Any
    rationale: str | None


def read_winner(text: str) -> Reading:
    """Returns ``A``, ``B`` or ``tie`` as the reply names it, or null."""
    return _read(text, "winner", _winner)


def read_score(text: str, lowest: float, highest: float) -> Reading:
    """Returns the number the reply names, or null; a number outside the scale is not read, never bent."""

    def number(value: object) -> float | None:
        score = _score(value, highest)
        return score if score is not None and lowest <= score <= highest else None

    return _read(text, "score", number)


def _read(text: str, key: str, understand: Callable[[object], Any]) -> Reading:
    text = _after_thinking(text)
    found = [item for item in _objects(text) if key in item]
    claims = [item[key] for item in found] + _BRACKETS.findall(text)
    if not claims:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        claims = [_LEAD.sub("", lines[-1])] if lines else []
    values = {understand(claim) for claim in claims}
    reason = next(
        (item[name] for item in reversed(found) for name in _REASONS if isinstance(item.get(name), str)), None
    )
    return Reading(values.pop() if len(values) == 1 else None, reason)


def _after_thinking(text: str) -> str:
    """Returns what follows a reasoning model's thoughts; nothing when they never end."""
    _, closed, said = text.rpartition("</think>")
    if closed:
        return said
    return "" if "<think>" in text else text


def _objects(text: str) -> list[dict[str, Any]]:
    """Returns the JSON objects in a text, outermost only."""
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_unambiguous)
    found, at = [], text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns the object; a key given twice with different values is null."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = value if key not in found or found[key] == value else None
    return found


def _winner(value: object) -> Winner | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    word = re.sub(r"[\s*_`\"'.()\[\]!]+", " ", str(value)).strip().casefold()
    return _NAMES.get(_NOUN.sub("", word).strip())


def _score(value: object, highest: float) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    found = _NUMBER.fullmatch(str(value).strip(" \t*_`\"'.()!"))
    if found is None or (found[2] and float(found[2]) != highest):
        return None
    return float(found[1].replace("−", "-"))
