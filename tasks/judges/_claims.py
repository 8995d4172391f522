"""Finds what a judge's reply claims: JSON objects, double brackets, a last line, or a sentence; and where.

Source: MT-bench's ``[[A]]`` and ``[[7]]`` (arXiv:2306.05685, appendix A); LLMBar's closing sentence "Output (a) is
better" (arXiv:2310.07641, appendix A), whose published parser takes the first answer where both are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

BRACKETS = re.compile(r"\[\[([^\[\]\n]{1,80})\]\]")
_LEAD = re.compile(
    r"^\W*(?:(?:so|therefore|thus|hence)\W+)?(?:(?:my|the)\s+)?(?:final\s+|overall\s+)?"
    r"(?:winner|verdict|judge?ment|choice|decision|preference|answer|better\s+answer|score|rating|grade|ranking|order"
    r"|scores|ratings)\s*(?:is|are|:|=)\s*",
    re.IGNORECASE,
)
_NOUN = r"(?:output|answer|response|assistant|option|candidate|completion|model|summary|text)"
_SUBJECT = re.compile(
    rf"\b(?:{_NOUN}\s*[\[(\"'*]{{0,3}}(?P<name>[ab12])\b[\])\"'*]{{0,3}}|the (?P<place>first|second) {_NOUN})\Z",
    re.IGNORECASE,
)
_PREDICATE = re.compile(
    r" (?:(?:is|was)(?: (?:clearly|slightly|much|far|overall|therefore|thus|generally|definitely|significantly|still))?"
    r"(?: the)? (?:better|superior|best|preferable|preferred|winner|stronger)|wins|better executes)\b"
)
_UNSAID = re.compile(
    r"\b(?:whether|if|unless|claim\w*|says?|said|saying|argues?|argued|stat(?:es?|ed|ing)|suggests?|evaluator)\b"
    r"|(?:\b(?:not|never|neither|nor|hardly)|n't)\b[^,;]{0,12}\Z",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[.!?]['\")]?\s|\n|^)(?=[^.!?\n]*$)")
_LABELLED = re.compile(
    rf"^[ \t*_#>-]*{_NOUN}[ \t]*[\[(\"'*]{{0,3}}(?P<name>[a-z]|\d{{1,2}})\b[\])\"'*]{{0,3}}(?:'s)?(?: score| rating)?"
    r"[ \t*_]*[:=][ \t*_]*(?P<value>\d+(?:\.\d+)?(?:[ \t]*(?:/|out of)[ \t]*\d+)?)(?![\d.%]\d)",
    re.IGNORECASE | re.MULTILINE,
)
_TAIL = re.compile(r"[\s`*_.\"')}]*\Z")
_ALONE = re.compile(r"[\s`*_\"'(]*(?:json)?[\s`*_\"'(]*\Z", re.IGNORECASE)
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=lambda pairs: _unambiguous(pairs))
MOST_ATTEMPTS = 200
"""So many opening braces are tried in one reply; a judge that writes more of them gives no verdict in JSON."""


class Claim(NamedTuple):
    """Something said in a reply: the value as it stands there, where, and the object and key that hold it."""

    value: Any
    start: int
    end: int
    holder: dict[str, Any] | None = None
    key: str = ""

    def span(self, text: str) -> tuple[int, int]:
        """Returns where the value begins in the text, and where the claim ends."""
        if self.holder is None:
            return max(self.start, text.find(str(self.value), self.start)), self.end
        colon = text.find(":", text.rfind(f'"{self.key}"', self.start, self.end) + len(self.key) + 2)
        rest = text[colon + 1 : self.end]
        return self.end - len(rest.lstrip(' \t\n"')), self.end


def after_thinking(text: str) -> int:
    """Returns where a reply begins that follows a reasoning model's thoughts; its end when they never end."""
    if "think>" not in text:
        return 0
    closed = text.rfind("</think>")
    if closed >= 0:
        return closed + len("</think>")
    return len(text) if "<think>" in text else 0


def objects(text: str, start: int = 0) -> list[tuple[dict[str, Any], int, int]]:
    """Returns the JSON objects in a text, outermost only, each with its place."""
    found, at = [], text.find("{", start)
    for _ in range(MOST_ATTEMPTS):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append((value, at, end))
        at = text.find("{", end)
    return found


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns the object; a key given twice with different values is null."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = value if key not in found or found[key] == value else None
    return found


def explicit(text: str, start: int, keys: Sequence[str]) -> list[Claim]:
    """Returns the claims made in JSON or in double brackets, in their order."""
    held = objects(text, start) if "{" in text else []
    found = []
    for item, at, end in held:
        for key in keys:
            if key in item:
                found.append(Claim(item[key], at, end, item, key))
                break
    if "[[" in text:
        found += [
            Claim(match[1], match.start(), match.end())
            for match in BRACKETS.finditer(text, start)
            if not any(at < match.start() < end for _, at, end in held)
        ]
    return sorted(found, key=lambda claim: claim.start) if len(found) > 1 else found


def closing(text: str, claims: Sequence[Claim], start: int) -> list[Claim]:
    """Returns the last claim where it ends the reply and stands on a line of its own, else none."""
    if not claims or not _TAIL.match(text, claims[-1].end):
        return []
    line = text[max(start, text.rfind("\n", 0, claims[-1].start) + 1) : claims[-1].start]
    return [claims[-1]] if _ALONE.match(_LEAD.sub("", line)) else []


def last_line(text: str, start: int) -> Claim | None:
    """Returns what the last line says after words such as "Final verdict:"."""
    said = text[start:].rstrip()
    begin = start + said.rfind("\n") + 1
    line = said[begin - start :]
    rest = _LEAD.sub("", line)
    return Claim(rest.strip(), begin + len(line) - len(rest), begin + len(line)) if line.strip() else None


def statements(text: str, start: int, *, reported: bool = False) -> list[Claim]:
    """Returns the sentences that call one of two answers the better one.

    Args:
        reported: those too that deny it, or only tell what somebody else said.
    """
    found = []
    for match in _PREDICATE.finditer(text, start):
        subject = _SUBJECT.search(text, max(start, match.start() - 30), match.start())
        if subject is None:
            continue
        before = text[max(start, subject.start() - 300) : subject.start()]
        cut = _SENTENCE.search(before)
        if reported or not _UNSAID.search(before[cut.end() :] if cut else before):
            found.append(Claim(subject["name"] or subject["place"], subject.start(), match.end()))
    return found


def labelled(text: str, start: int) -> list[tuple[str, str]]:
    """Returns the lines that give an answer a number, such as "Assistant 1: 7/10 (clear)", as pairs of words."""
    return [(match["name"].upper(), match["value"]) for match in _LABELLED.finditer(text, start)]
