"""The instructions of M-IFEval in Spanish, each as a check of one text.

Source: M-IFEval (arXiv:2502.04688, section 3 and appendix): IFEval's kinds, and Spanish signs and accents.

Words and sentences are counted by rules; the published checker asks a model of spaCy, which also counts runs of blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tasks.judges import _ifeval_en, _sentences
from tasks.judges._ifeval_en import CAPITALS, Check, holds, number, speaks, word

_BULLET = re.compile(r"^[^\S\n]*(?:\d+\.|[-*])[^\S\n]*", re.MULTILINE)
_WORDS = re.compile(r"\w+(?:[-.,:/'’]\w+)*|[$€£+=<>^|~°%]+")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_SHARED = (
    "keywords:existence", "keywords:frequency", "keywords:forbidden_words", "keywords:letter_frequency",
    "language:response_language", "length_constraints:number_paragraphs", "detectable_content:number_placeholders",
    "detectable_format:number_highlighted_sections", "detectable_format:multiple_sections",
    "detectable_format:json_format", "detectable_format:title", "combination:two_responses",
    "combination:repeat_prompt", "startend:quotation", "punctuation:no_comma",
)  # fmt: skip


def _words(text: str) -> list[str]:
    return _WORDS.findall(text)


def _sentence_count(text: str, given: Mapping[str, Any]) -> bool:
    found = _sentences.count(_BULLET.sub("", text), "es")
    return holds(found, given.get("relation"), given["num_sentences"])


def _word_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(len(_words(_BULLET.sub("", text))), given.get("relation"), given["num_words"])


def _first_words(text: str, given: Mapping[str, Any]) -> bool:
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    nth, wanted = number(given, "nth_paragraph"), word(given, "first_word").lower().split()
    if count != number(given, "num_paragraphs") or not 1 <= nth <= count:
        return False
    return [_PUNCTUATION.sub("", each).lower() for each in parts[nth - 1].split()][: len(wanted)] == wanted


def _postscript(text: str, given: Mapping[str, Any]) -> bool:
    marker = word(given, "postscript_marker").lower()
    return bool(re.search(r"p\.\s?d\." if marker == "p.d." else re.escape(marker), text.lower()))


def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    lines = [line.strip() for line in text.split("\n")]
    return sum(len(line) > 1 and line[0] == "*" != line[1] for line in lines) == number(given, "num_bullets")


def _constrained(text: str, given: Mapping[str, Any]) -> bool:
    return any(answer in text for answer in ("Sí.", "No.", "Quizás."))


def _end(text: str, given: Mapping[str, Any]) -> bool:
    wanted = word(given, "end_phrase").strip().lower()
    return text.strip().strip('"').lower().removesuffix(".").endswith(wanted.removesuffix("."))


def _capital_words(text: str, given: Mapping[str, Any]) -> bool:
    found = sum(each.isupper() for each in _words(text))
    return holds(found, given.get("capital_relation"), given["capital_frequency"])


def _capital(text: str, given: Mapping[str, Any]) -> bool:
    letters = [sign for sign in unicodedata.normalize("NFKD", text) if sign.isalpha()]
    return all(letter.isupper() for letter in letters) and speaks(text, "es", CAPITALS)


def _lowercase(text: str, given: Mapping[str, Any]) -> bool:
    return text.islower() and speaks(text, "es")


def _between(opening: str, closing: str) -> Check:
    """Returns a check that something stands between two signs."""

    def check(text: str, given: Mapping[str, Any]) -> bool:
        place = 0
        while (start := text.find(opening, place)) >= 0 and (end := text.find(closing, start)) >= 0:
            if text[start:end].lstrip(opening).strip():
                return True
            place = end + 1
        return False

    return check


def _with(letter: str) -> Check:
    """Returns a check of how many words hold a letter: exactly so many."""

    def check(text: str, given: Mapping[str, Any]) -> bool:
        return sum(letter in each.lower() for each in _words(text)) == number(given, "let_frequency")

    return check


def _tildes(text: str, given: Mapping[str, Any]) -> bool:
    found = sum(any(letter in "áéíóú" for letter in each.lower()) for each in _words(text))
    return holds(found, given.get("relation"), given["num_words"])


_OWN: dict[str, Check] = {
    "length_constraints:number_sentences": _sentence_count,
    "length_constraints:number_words": _word_count,
    "length_constraints:nth_paragraph_first_word": _first_words,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": _constrained,
    "startend:end_checker": _end,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:spanish_capital": _capital,
    "change_case:spanish_lowercase": _lowercase,
    "punctuation:question_marks": _between("¿", "?"),
    "punctuation:exclamation_marks": _between("¡", "!"),
    "special_character:enie": _with("ñ"),
    "special_character:dieresis": _with("ü"),
    "special_character:tildes": _tildes,
}
CHECKS: dict[str, Check] = {f"es:{kind}": _ifeval_en.CHECKS[kind] for kind in _SHARED} | {
    f"es:{kind}": check for kind, check in _OWN.items()
}
