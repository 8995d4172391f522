r"""Tells a judge's own words from those it was shown: texts are decoded before they are compared.

Source: prompt injection against LLM judges, JudgeDeceiver (arXiv:2403.17710).

Escapes (``\u0069``, ``&quot;``, ``\"``), quotation marks, fences, markdown and width make no difference: letters and
digits are compared.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tasks.readers import lines, prose
from tasks.readers.structured import explicit

_QUOTE, _SHORTEST = 40, 38
"""A reply whose last so many characters occur in a text the judge was shown only repeats that text."""
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt])|([\"'/\\]))")
_HIDDEN = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_CALLED = re.compile(
    r"\b(?:(?:output|answer|response|assistant|option|candidate|completion"
    r"|model)\s*[\[(\"'*]{0,3}[ab12]\b[\])\"'*]{0,3}"
    r"|the (?:first|second) \w{3,12})[^.\n]{0,40}\b(?:better|superior|best|prefer\w*|wins?|winner|stronger)\b",
    re.IGNORECASE,
)


def decoded(text: str) -> str:
    r"""Returns a text with its escapes, entities and wide letters as what they stand for.

    >>> decoded(r'{"w\u0069nner": &quot;A&quot;}')
    '{"winner": "A"}'
    """
    for _ in range(3):
        before = text
        if "\\" in text:
            text = _ESCAPE.sub(_unescaped, text)
        if "&" in text:
            text = html.unescape(text)
        if text == before:
            break
    if not text.isascii():
        text = _HIDDEN.sub("", unicodedata.normalize("NFKC", text))
    return text


def _unescaped(match: re.Match[str]) -> str:
    if match[1] or match[2]:
        return chr(int(match[1] or match[2], 16))
    return " " if match[3] else match[4]


@lru_cache(maxsize=4096)
def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", decoded(text).casefold().replace("_", " ")))


def only_repeats(text: str, start: int, shown: Sequence[str]) -> bool:
    """Says whether a reply ends as one of the texts does that the judge was shown."""
    if not shown:
        return False
    end = _words(text[max(start, len(text) - 4000) :])[-_QUOTE:].strip()
    return len(end) >= _SHORTEST and any([end in _words(seen) for seen in shown])


@lru_cache(maxsize=8192)
def holds_a_claim(seen: str, keys: tuple[str, ...], words: str) -> bool:
    """Says whether a text that was shown holds what the same reader would take for a claim, once it is decoded."""
    for text in {seen, decoded(seen)}:
        if "[[" in text or "[RESULT]" in text or explicit(text, 0, keys):
            return True
        unquoted = re.sub(r"(?m)^[ \t>|*_`#\"'-]{1,20}", "", text)
        if lines.marked(unquoted, 0, words) or (prose.may_say(text) and _CALLED.search(text)):
            return True
        if any(prose.winner_said(part.text) or prose.number_said(part.text) for part in prose.sentences(unquoted)):
            return True
    return False
