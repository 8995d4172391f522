"""The 25 kinds of verifiable instructions, each as a check of one text.

Source: IFEval, Instruction-Following Evaluation for Large Language Models (arXiv:2311.07911, section 2 and appendix).

Every check takes the text and the instruction's arguments by the names of the published prompts, and says whether the
text follows it. The rules are the published ones, with two libraries exchanged for others: see ``_sentences`` and
``_languages``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tasks.judges import _languages, _sentences

Check = Callable[[str, Mapping[str, Any]], bool]
CHECKS: dict[str, Check] = {}
_WORDS = re.compile(r"\w+")
_TOKENS = re.compile(r"(?:[^\W\d_]\.){2,}|n't|'\w+|\w+(?:[-./&]\w+)*(?=n't\b)|\w+(?:[-./&@]\w+)*|[^\w\s]")
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
CAPITALS = 0.5
_SHORT = 40
"""Letters from which a text is long enough to tell its language."""
_STOPS = frozenset(".,?!'\"")


def _kind(name: str) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return note


def holds(found: int, relation: str | None, wanted: int) -> bool:
    """Says whether a count is ``less than``, ``at least`` or at most what is wanted, in English or M-IFEval's words.

    Raises:
        ValueError: another relation, or what is wanted is no number.
    """
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        raise ValueError(f"the number wanted is {wanted!r}")
    if relation in ("less than", "moins de", "未満"):
        return found < wanted
    if relation in ("at least", "al menos", "au moins", "以上", None):
        return found >= wanted
    if relation == "como máximo":
        return found <= wanted
    raise ValueError(
        f"the relation is {relation!r}, allowed are 'less than' and 'at least', 'al menos' and 'como máximo', "
        "'moins de' and 'au moins', '未満' and '以上'"
    )


def word(given: Mapping[str, Any], name: str) -> str:
    """Returns an argument that is a text.

    Raises:
        ValueError: it is something else, or blank.
    """
    value = given[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"the argument {name!r} is {value!r}, expected a text")
    return value


def words(given: Mapping[str, Any], name: str) -> list[str]:
    """Returns an argument that is a list of texts.

    Raises:
        ValueError: it is something else.
    """
    values = given[name]
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) and value.strip() for value in values):
        raise ValueError(f"the argument {name!r} is {values!r}, expected a list of texts")
    return list(values)


def number(given: Mapping[str, Any], name: str) -> int:
    """Returns an argument that is a whole number, 3.0 among them.

    Raises:
        ValueError: it is something else.
    """
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"the argument {name!r} is {value!r}, expected a whole number")
    return int(value)


@_kind("keywords:existence")
def _existence(text: str, given: Mapping[str, Any]) -> bool:
    return all(re.search(re.escape(each), text, re.IGNORECASE) for each in words(given, "keywords"))


@_kind("keywords:frequency")
def _frequency(text: str, given: Mapping[str, Any]) -> bool:
    found = len(re.findall(re.escape(word(given, "keyword")), text, re.IGNORECASE))
    return holds(found, given.get("relation"), given["frequency"])


@_kind("keywords:forbidden_words")
def _forbidden(text: str, given: Mapping[str, Any]) -> bool:
    return not any(re.search(_alone(each), text, re.IGNORECASE) for each in words(given, "forbidden_words"))


def _alone(each: str) -> str:
    r"""Returns a pattern of a word that is no part of another; ``C++`` ends where ``\b`` finds no end."""
    start, end = (r"\b" if sign.isalnum() or sign == "_" else "" for sign in (each[0], each[-1]))
    return start + re.escape(each) + end


@_kind("keywords:letter_frequency")
def _letter(text: str, given: Mapping[str, Any]) -> bool:
    found = text.lower().count(word(given, "letter").lower())
    return holds(found, given.get("let_relation"), given["let_frequency"])


@_kind("language:response_language")
def _language(text: str, given: Mapping[str, Any]) -> bool:
    guess = _languages.detect(text)
    return guess is None or guess.language == word(given, "language").split("-")[0].lower()


@_kind("length_constraints:number_sentences")
def _sentence_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(_sentences.count(text), given.get("relation"), given["num_sentences"])


@_kind("length_constraints:number_words")
def _word_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(len(_WORDS.findall(text)), given.get("relation"), given["num_words"])


@_kind("length_constraints:number_paragraphs")
def _paragraphs(text: str, given: Mapping[str, Any]) -> bool:
    parts = _parts(text, r"\s?\*\*\*\s?")
    return parts is not None and len(parts) == number(given, "num_paragraphs")


def _parts(text: str, separator: str) -> list[str] | None:
    """Returns what stands between separators; null where something in the middle is blank. Blank ends do not count."""
    parts = re.split(separator, text)
    if any(not part.strip() for part in parts[1:-1]):
        return None
    return [part for part in parts if part.strip()]


@_kind("length_constraints:nth_paragraph_first_word")
def _first_word(text: str, given: Mapping[str, Any]) -> bool:
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    nth = number(given, "nth_paragraph")
    if count != number(given, "num_paragraphs") or not 1 <= nth <= count or not parts[nth - 1].strip():
        return False
    first = parts[nth - 1].split()[0].lstrip("'").lstrip('"')
    end = next((i for i, letter in enumerate(first) if letter in _STOPS), len(first))
    return first[:end].lower() == word(given, "first_word").lower()


@_kind("detectable_content:number_placeholders")
def _placeholders(text: str, given: Mapping[str, Any]) -> bool:
    return sum(_bracketed(line) for line in text.split("\n")) >= number(given, "num_placeholders")


def _bracketed(line: str) -> int:
    """Returns how often ``[.*?]`` is found, in one pass also where nothing closes a bracket."""
    found, place = 0, 0
    while (start := line.find("[", place)) >= 0 and (end := line.find("]", start)) >= 0:
        found, place = found + 1, end + 1
    return found


@_kind("detectable_content:postscript")
def _postscript(text: str, given: Mapping[str, Any]) -> bool:
    marker = word(given, "postscript_marker")
    patterns = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    return bool(re.search(patterns.get(marker, re.escape(marker.lower())), text.lower()))


@_kind("detectable_format:number_bullet_lists")
def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    # without blank lines: the leading \s* would walk over them again from each one
    text = "\n".join(line for line in text.split("\n") if line.strip())
    stars = re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^\s*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == number(given, "num_bullets")


@_kind("detectable_format:constrained_response")
def _constrained(text: str, given: Mapping[str, Any]) -> bool:
    return any(answer in text for answer in _ANSWERS)


@_kind("detectable_format:number_highlighted_sections")
def _highlights(text: str, given: Mapping[str, Any]) -> bool:
    single = re.findall(r"\*[^\n\*]*\*", text)
    double = re.findall(r"\*\*[^\n\*]*\*\*", text)
    found = sum(bool(part.strip("*").strip()) for part in single)
    found += sum(bool(part.removeprefix("**").removesuffix("**").strip()) for part in double)
    return found >= number(given, "num_highlights")


@_kind("detectable_format:multiple_sections")
def _sections(text: str, given: Mapping[str, Any]) -> bool:
    parts = re.split(rf"\s?{re.escape(word(given, 'section_spliter'))}\s?\d+\s?", text)
    return len(parts) > number(given, "num_sections")


@_kind("detectable_format:json_format")
def _json(text: str, given: Mapping[str, Any]) -> bool:
    text = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


@_kind("detectable_format:title")
def _title(text: str, given: Mapping[str, Any]) -> bool:
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start <= end - 3 and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


@_kind("combination:two_responses")
def _two(text: str, given: Mapping[str, Any]) -> bool:
    parts = _parts(text, r"\*{6}")
    return parts is not None and len(parts) == 2 and parts[0].strip() != parts[1].strip()


@_kind("combination:repeat_prompt")
def _repeat(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().lower().startswith(word(given, "prompt_to_repeat").strip().lower())


@_kind("startend:end_checker")
def _end(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().strip('"').lower().endswith(word(given, "end_phrase").strip().lower())


@_kind("startend:quotation")
def _quotation(text: str, given: Mapping[str, Any]) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == '"' == text[-1]


@_kind("change_case:capital_word_frequency")
def _capital_words(text: str, given: Mapping[str, Any]) -> bool:
    found = sum(token.isupper() for token in _TOKENS.findall(text))
    return holds(found, given.get("capital_relation"), given["capital_frequency"])


@_kind("change_case:english_capital")
def _capital(text: str, given: Mapping[str, Any]) -> bool:
    return text.isupper() and speaks(text, "en", CAPITALS)


@_kind("change_case:english_lowercase")
def _lowercase(text: str, given: Mapping[str, Any]) -> bool:
    return text.islower() and speaks(text, "en")


def speaks(text: str, language: str, sure: float = 0.1) -> bool:
    """Says whether a text is in a language; of a few words, which tell none for certain, whether nothing is against it.

    Args:
        sure: the probability from which a short text is taken to be in the language that is found. Capitals, which
            are names and cries more often than prose, are given the benefit of the doubt (0.5).
    """
    guess = _languages.detect(text.lower())
    if guess is None or guess.language == language:
        return True
    return sum(letter.isalpha() for letter in text) < _SHORT and guess.probability < sure


@_kind("punctuation:no_comma")
def _no_comma(text: str, given: Mapping[str, Any]) -> bool:
    return "," not in text
