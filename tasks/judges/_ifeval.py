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
_STOPS = frozenset(".,?!'\"")


def _kind(name: str) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return note


def holds(found: int, relation: str | None, wanted: int) -> bool:
    """Says whether a count is ``less than`` or ``at least`` what is wanted.

    Raises:
        ValueError: another relation.
    """
    if relation == "less than":
        return found < wanted
    if relation in ("at least", None):
        return found >= wanted
    raise ValueError(f"the relation is {relation!r}, allowed are 'less than' and 'at least'")


@_kind("keywords:existence")
def _existence(text: str, given: Mapping[str, Any]) -> bool:
    return all(re.search(word, text, re.IGNORECASE) for word in given["keywords"])


@_kind("keywords:frequency")
def _frequency(text: str, given: Mapping[str, Any]) -> bool:
    found = len(re.findall(given["keyword"], text, re.IGNORECASE))
    return holds(found, given.get("relation"), given["frequency"])


@_kind("keywords:forbidden_words")
def _forbidden(text: str, given: Mapping[str, Any]) -> bool:
    return not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in given["forbidden_words"])


@_kind("keywords:letter_frequency")
def _letter(text: str, given: Mapping[str, Any]) -> bool:
    found = text.lower().count(given["letter"].lower())
    return holds(found, given.get("let_relation"), given["let_frequency"])


@_kind("language:response_language")
def _language(text: str, given: Mapping[str, Any]) -> bool:
    guess = _languages.detect(text)
    return guess is None or guess.language == str(given["language"]).split("-")[0]


@_kind("length_constraints:number_sentences")
def _sentence_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(_sentences.count(text), given.get("relation"), given["num_sentences"])


@_kind("length_constraints:number_words")
def _word_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(len(_WORDS.findall(text)), given.get("relation"), given["num_words"])


@_kind("length_constraints:number_paragraphs")
def _paragraphs(text: str, given: Mapping[str, Any]) -> bool:
    parts = _parts(text, r"\s?\*\*\*\s?")
    return parts is not None and len(parts) == int(given["num_paragraphs"])


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
    nth = int(given["nth_paragraph"])
    if count != given["num_paragraphs"] or nth > count or not parts[nth - 1].strip():
        return False
    word = parts[nth - 1].split()[0].lstrip("'").lstrip('"')
    end = next((i for i, letter in enumerate(word) if letter in _STOPS), len(word))
    return word[:end].lower() == str(given["first_word"]).lower()


@_kind("detectable_content:number_placeholders")
def _placeholders(text: str, given: Mapping[str, Any]) -> bool:
    return sum(_bracketed(line) for line in text.split("\n")) >= int(given["num_placeholders"])


def _bracketed(line: str) -> int:
    """Returns how often ``[.*?]`` is found, in one pass also where nothing closes a bracket."""
    found, place = 0, 0
    while (start := line.find("[", place)) >= 0 and (end := line.find("]", start)) >= 0:
        found, place = found + 1, end + 1
    return found


@_kind("detectable_content:postscript")
def _postscript(text: str, given: Mapping[str, Any]) -> bool:
    marker = given["postscript_marker"]
    patterns = {"P.P.S": r"p\.\s?p\.\s?s.*$", "P.S.": r"p\.\s?s\..*$"}
    return bool(re.search(patterns.get(marker, marker.lower() + r".*$"), text.lower(), re.MULTILINE))


@_kind("detectable_format:number_bullet_lists")
def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    # without blank lines: the leading \s* would walk over them again from each one
    text = "\n".join(line for line in text.split("\n") if line.strip())
    stars = re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^\s*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == int(given["num_bullets"])


@_kind("detectable_format:constrained_response")
def _constrained(text: str, given: Mapping[str, Any]) -> bool:
    return any(answer in text for answer in _ANSWERS)


@_kind("detectable_format:number_highlighted_sections")
def _highlights(text: str, given: Mapping[str, Any]) -> bool:
    single = re.findall(r"\*[^\n\*]*\*", text)
    double = re.findall(r"\*\*[^\n\*]*\*\*", text)
    found = sum(bool(part.strip("*").strip()) for part in single)
    found += sum(bool(part.removeprefix("**").removesuffix("**").strip()) for part in double)
    return found >= int(given["num_highlights"])


@_kind("detectable_format:multiple_sections")
def _sections(text: str, given: Mapping[str, Any]) -> bool:
    parts = re.split(rf"\s?{given['section_spliter']}\s?\d+\s?", text)
    return len(parts) > int(given["num_sections"])


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
    return text.strip().lower().startswith(str(given["prompt_to_repeat"]).strip().lower())


@_kind("startend:end_checker")
def _end(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().strip('"').lower().endswith(str(given["end_phrase"]).strip().lower())


@_kind("startend:quotation")
def _quotation(text: str, given: Mapping[str, Any]) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == '"' == text[-1]


@_kind("change_case:capital_word_frequency")
def _capital_words(text: str, given: Mapping[str, Any]) -> bool:
    found = sum(word.isupper() for word in _TOKENS.findall(text))
    return holds(found, given.get("capital_relation"), given["capital_frequency"])


@_kind("change_case:english_capital")
def _capital(text: str, given: Mapping[str, Any]) -> bool:
    return text.isupper() and _language(text, {"language": "en"})


@_kind("change_case:english_lowercase")
def _lowercase(text: str, given: Mapping[str, Any]) -> bool:
    return text.islower() and _language(text, {"language": "en"})


@_kind("punctuation:no_comma")
def _no_comma(text: str, given: Mapping[str, Any]) -> bool:
    return "," not in text


def loosened(text: str) -> list[str]:
    """Returns the eight readings of the loose rule: without its first line, its last line, and its asterisks."""
    lines = text.split("\n")
    cuts = [text, "\n".join(lines[1:]).strip(), "\n".join(lines[:-1]).strip(), "\n".join(lines[1:-1]).strip()]
    return [*cuts, *(cut.replace("*", "") for cut in cuts)]


def follows(text: str, kind: str, given: Mapping[str, Any], *, loose: bool = False) -> bool:
    """Says whether a text follows one instruction; a blank text follows none.

    Raises:
        ValueError: an unknown kind, or arguments it does not have.
    """
    if kind not in CHECKS:
        raise ValueError(f"{kind!r} is no instruction of IFEval's; there are {', '.join(sorted(CHECKS))}")
    readings = loosened(text) if loose else [text]
    try:
        return any(reading.strip() and CHECKS[kind](reading, given) for reading in readings)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the arguments {dict(given)} of {kind} are not its own: {error}") from error
