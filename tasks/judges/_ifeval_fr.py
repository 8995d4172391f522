"""The instructions of M-IFEval in French, each as a check of one text.

Source: M-IFEval (arXiv:2502.04688, section 3 and appendix): IFEval's kinds, accents, informal address, digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tasks.judges import _ifeval_en, _sentences
from tasks.judges._ifeval_en import CAPITALS, Check, holds, speaks, word

_INFORMAL = re.compile(r"\b(?:tu|te|toi|ton|ta|tes)\b|\bt'\b", re.IGNORECASE)
_ACCENTED = frozenset("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ")
_WORDS = re.compile(r"\w+")
_TOKENS = re.compile(r"\w+(?:['.&/-]\w+)*")
_SHARED = (
    "keywords:existence", "keywords:frequency", "keywords:forbidden_words", "keywords:letter_frequency",
    "language:response_language", "length_constraints:number_paragraphs", "length_constraints:number_words",
    "length_constraints:nth_paragraph_first_word", "detectable_content:number_placeholders",
    "detectable_format:number_bullet_lists", "detectable_format:number_highlighted_sections",
    "detectable_format:multiple_sections", "detectable_format:json_format", "combination:two_responses",
    "combination:repeat_prompt", "startend:end_checker", "punctuation:no_comma", "detectable_content:postscript",
)  # fmt: skip


def _sentence_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(_sentences.count(text, "fr"), given.get("relation"), given["num_sentences"])


def _capital_words(text: str, given: Mapping[str, Any]) -> bool:
    found = sum(each.isupper() for each in _TOKENS.findall(text))
    return holds(found, given.get("capital_relation"), given["capital_frequency"])


def _quotation(text: str, given: Mapping[str, Any]) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] + text[-1] in ('""', "«»")


def _constrained(text: str, given: Mapping[str, Any]) -> bool:
    return any(answer in text for answer in ("Oui.", "Non.", "Peut-être."))


def _title(text: str, given: Mapping[str, Any]) -> bool:
    for line in text.split("\n"):
        start, end = line.find("##"), line.rfind("##")
        if 0 <= start <= end - 3 and line[start : end + 2].strip("#").strip():
            return True
    return False


def _capital(text: str, given: Mapping[str, Any]) -> bool:
    return text.isupper() and speaks(text, "fr", CAPITALS)


def _lowercase(text: str, given: Mapping[str, Any]) -> bool:
    return text.islower() and speaks(text, "fr")


def _forbidden_letter(text: str, given: Mapping[str, Any]) -> bool:
    return word(given, "forbidden_char").lower() not in text.lower()


def _informal(text: str, given: Mapping[str, Any]) -> bool:
    return _INFORMAL.search(text) is not None


def _no_accents(text: str, given: Mapping[str, Any]) -> bool:
    return _ACCENTED.isdisjoint(text.lower())


def _accents(text: str, given: Mapping[str, Any]) -> bool:
    wanted = given["word_to_accentuate"]
    if not isinstance(wanted, Mapping) or not all(isinstance(value, str) for value in wanted.values()):
        raise ValueError(f"the argument 'word_to_accentuate' is {wanted!r}, expected an object of texts")
    return all(each == wanted.get(_bare(each), each) for each in _WORDS.findall(text.lower()))


def _bare(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def _no_digits(text: str, given: Mapping[str, Any]) -> bool:
    return not any(sign.isdecimal() for sign in text)


_OWN: dict[str, Check] = {
    "length_constraints:number_sentences": _sentence_count,
    "detectable_format:constrained_response": _constrained,
    "detectable_format:title": _title,
    "startend:quotation": _quotation,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:french_capital": _capital,
    "change_case:french_lowercase": _lowercase,
    "special_character:ethel_or_cedilla": _forbidden_letter,
    "special_character:no_accents": _no_accents,
    "special_character:accents": _accents,
    "detectable_content:informal_address": _informal,
    "detectable_content:no_digits": _no_digits,
}
CHECKS: dict[str, Check] = {f"fr:{kind}": _ifeval_en.CHECKS[kind] for kind in _SHARED} | {
    f"fr:{kind}": check for kind, check in _OWN.items()
}
