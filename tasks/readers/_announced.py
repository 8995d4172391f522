r"""Finds the places of a text where words announce a final answer: "The answer is", "Respuesta:", "答案是".

Source: the wordings of ``_tongues``. One pass of an automaton finds the nouns; what stands around each is looked at
within a fixed distance, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import re2  # type: ignore[import-untyped]

from tasks.readers._tongues import TONGUES, Tongue

_LEFT, _RIGHT, _MOST = 80, 200, 400
_EMPHASIS = r"[*_`\"'”“»«」』\]]{0,4}"
_NOUNS = re2.compile("(?i)" + "|".join(f"({tongue.nouns})" for tongue in TONGUES.values()))
_LANGUAGES = tuple(TONGUES)
_BY_COLON = ("答", "ตอบ", "trả lời", "ans", "odp")
_NUMBER = re.compile(r"\s*[*_`]{0,3}(?:\\?[$€£¥₹]|US\$|[-−+]?[\d०-९০-৯౦-౯๐-๙٠-٩۰-۹]|\\[(\[bdft]|\([A-Ja-j]\))")
_SPACED = re.compile(r"[^\W\d_]", re.UNICODE)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LEADS = re.compile(
    r"(?:^|\n)[\s>*_#`•\-–—+|~✅→⇒∴]{0,12}(?:(?:so|thus|hence|therefore|finally|and|the|la|le|il|die|das|der|el|os?|a)[\s,:]{1,3}){0,3}"
    r"[*_]{0,3}$",
    re.IGNORECASE,
)
_INLINE_LETTER = re2.compile(r"(?im)^[\s>*_`•-]{0,6}(?:a|r|ans)[*_]{0,3}\s?[:：]")
_ORDERS = re.compile(r"(?i)\b(?:put|write|give|place|enclose|express|state|format|provide|return|box)\b[^.!?\n]{0,40}$")


class Announced(NamedTuple):
    """A mark made of words: where its noun starts, where the answer begins, its language, and how plainly it says so.

    Attributes:
        final: an adjective calls the answer final. label: a colon, or a line of its own, sets the answer off.
        heading: the answer stands below.
    """

    start: int
    end: int
    language: str
    final: bool
    label: bool
    heading: bool


def announced(text: str) -> Iterator[Announced]:
    """Yields the marks made of words, in order; only the last of very many nouns are looked at."""
    for match in deque(_NOUNS.finditer(text), _MOST):
        language = _LANGUAGES[(match.lastindex or 1) - 1]
        start, end = match.span()
        if not _whole(text, start, end):
            continue
        mark = _mark(text, start, end, language)
        if mark is not None:
            yield mark


def names_answer(text: str) -> bool:
    """Says whether a text speaks of an answer at all."""
    return any(_whole(text, *match.span()) for match in _NOUNS.finditer(text))


def lettered(text: str) -> Iterator[Announced]:
    """Yields the marks ``A:`` and ``R:`` that begin a line, unless they name one of several things (``B:`` follows)."""
    for match in _INLINE_LETTER.finditer(text):
        line_end = text.find("\n", match.end())
        below = text[line_end + 1 : line_end + 40] if line_end >= 0 else ""
        if re.match(r"[\s>*_`•-]{0,6}[B-Eb-e][*_]{0,3}\s?[:：]", below):
            continue
        language = "es" if "r" in match.group(0).lower() else "en"
        yield Announced(match.start(), match.end(), language, final=False, label=True, heading=False)


def _whole(text: str, start: int, end: int) -> bool:
    """Says whether a noun is a whole word; scripts without spaces have none to tell."""
    if _UNSPACED.match(text[start]):
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_SPACED.match(before) and not _UNSPACED.match(before)) and not (
        _SPACED.match(after) and not _UNSPACED.match(after)
    )


def _mark(text: str, start: int, end: int, language: str) -> Announced | None:
    tongue = TONGUES[language]
    noun = text[start:end].lower()
    left = text[max(0, start - _LEFT) : start]
    if _before(language).search(left) or (language == "en" and _ORDERS.search(left)):
        return None
    right = text[end : end + _RIGHT]
    match = _after(language).match(right)
    assert match is not None  # every part of it may be empty
    rest = right[match.end() :]
    colon = bool(match["colon"])
    inverted = bool(tongue.inverted and re.search(rf"(?<!\w){tongue.inverted}\s(?:\w+\s)?$", left, re.IGNORECASE))
    ruled = colon or bool(match["link"]) or inverted
    adjective = bool(match["final"]) or bool(_final(language).search(left)) or bool(re.match("final|end|최종|最", noun))
    if noun in _BY_COLON and not (colon or (noun == "答" and match["link"] == "は")):
        return None
    if tongue.denials and re.match(rf"[\s*_]*(?:{tongue.denials})", rest, re.IGNORECASE):
        return None
    line_alone = bool(_LEADS.search(text[max(0, start - 60) : start])) or (
        bool(_final(language).search(left)) and bool(_LEADS.search(_final(language).sub("", left)))
    )
    if colon and not match["link"] and match["words"] and not line_alone:
        return None
    below = re.match(r"[\s*_`]{0,6}(?:\n|$)", rest) is not None
    if not ruled:
        if below and line_alone and (adjective or _headed(text, start)):
            return Announced(start, end + match.end(), language, final=adjective, label=True, heading=True)
        selected = noun[0] in "故所应應因" and re.match(r"\s*[A-J(]", rest)
        direct = tongue.bare or line_alone or noun.startswith(("correct", "right", "best")) or selected
        if not (direct and (_NUMBER.match(rest) or selected)):
            return None
    return Announced(start, end + match.end(), language, final=adjective, label=colon, heading=below)


def _headed(text: str, start: int) -> bool:
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return bool(re.search(r"[#*_]", line)) or not line.strip()


@lru_cache
def _after(language: str) -> re.Pattern[str]:
    tongue = TONGUES[language]
    between = "|".join(part for part in (tongue.final, tongue.beside) if part)
    final = f"(?P<final>\\s{{0,2}}(?:{tongue.final}))?" if tongue.final else "(?P<final>)"
    words = rf"(?:[\s,，]{{0,2}}(?:{between})(?!\w))" if _spaced(tongue) else rf"(?:\s{{0,2}}(?:{between}))"
    link = f"(?:{tongue.links})"
    link = rf"{link}(?!\w)" if _spaced(tongue) else link
    boundary = r"(?!\w)" if _spaced(tongue) else ""
    adverbs = rf"(?:[\s,，]{{0,2}}(?:{tongue.adverbs}){boundary},?){{0,2}}" if tongue.adverbs else ""
    return re.compile(
        rf"{_EMPHASIS}{final}(?P<words>(?:{words}){{0,3}}){_EMPHASIS}(?:[\s,，]{{0,3}}(?P<link>{link}){adverbs})?"
        rf"[\s、，]{{0,2}}{_EMPHASIS}\s{{0,2}}(?P<colon>[:：=]|=>|->|→|⇒|[-–—](?=\s))?{_EMPHASIS}",
        re.IGNORECASE,
    )


@lru_cache
def _before(language: str) -> re.Pattern[str]:
    tongue = TONGUES[language]
    article = r"(?:(?:the|our|my|a|la|le|el|die|das|the|our|il|lo|de) )?" if _spaced(tongue) else ""
    adjectives = rf"(?:(?:{tongue.final})\s?)?" if tongue.final else ""
    word = r"(?<!\w)" if _spaced(tongue) else ""
    return re.compile(
        rf"{word}(?:{tongue.before or '(?!)'})[\s*_\"]{{0,3}}{article}{adjectives}[*_\"]{{0,3}}$", re.IGNORECASE
    )


@lru_cache
def _final(language: str) -> re.Pattern[str]:
    tongue = TONGUES[language]
    return re.compile(rf"(?:{tongue.final or '(?!)'})(?:的|の|な)?[\s*_]{{0,3}}$", re.IGNORECASE)


def _spaced(tongue: Tongue) -> bool:
    return not _UNSPACED.match(re.sub(r"\W", "", tongue.nouns)[0]) or tongue.nouns.startswith("정답")
