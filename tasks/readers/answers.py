r"""Reads the final answer of a solution: the one reader of every rule judge, vote and search.

Source: GSM8K's ``#### 18`` (arXiv:2110.14168, section 2), ``\boxed{18}`` of MATH (arXiv:2103.03874), ``<answer>`` of
DeepSeek-R1 (arXiv:2501.12948, table 1), the answer marks of MGSM's languages (arXiv:2210.03057).

Only a marked or structured answer is read. Thoughts never count. The last mark counts, unless marks of equal strength
contradict each other, or a correction follows that marks nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from tasks.readers._announced import names_answer
from tasks.readers._choose import Candidate, candidates, choose, closing_line
from tasks.readers._patterns import by_pattern
from tasks.readers._spans import trimmed
from tasks.readers.thoughts import without_thoughts
from tasks.readers.values import canonical, compare

_BARE = 300
_PARTS = re.compile(
    r"(?i)\b(?:half|halves|halb|quarters?|thirds?|media|medio|demie?|mezzo|meia|dozens?|per ?cent)\b|半|половин"
)
_GROUPED = re.compile(r"\d[.,]\d")
_OR = re.compile(r"(?i)\b(?:or|o|ou|oder|или|au|ou)\b|或|または|หรือ|বা|లేదా")
_OPTION = re.compile(r"(?:\\(?:text|textbf|mathbf|mathrm)\{)?\(?([A-J])(?:\)|[.:])\}?(?:\\?\s)+\S")
_NO_ANSWERS = (
    "i don't know", "i don’t know", "i do not know", "unknown", "n/a", "no answer", "not sure", "none of these",
    "i cannot answer", "i can't answer", "i give up", "no idea", "idk", "cannot be determined", "?",
)  # fmt: skip


class Answer(NamedTuple):
    """A final answer as it stands in a reply.

    Attributes:
        text: without emphasis, quotes and the closing stop.
        mark: what marks it: ``box``, ``tag``, ``hash``, ``field``, ``heading``, ``label``, ``phrase``, ``line``,
            ``bare``, ``pattern``.
        language: of the words of its mark; null where none are words.
        at_end: the reply ends with it, so that a cut may have taken a part of it.
        listed: other answers that are marked beside it with equal strength.
    """

    text: str
    mark: str
    language: str | None = None
    at_end: bool = False
    listed: tuple[str, ...] = ()


class Reading(NamedTuple):
    """The answer of a reply; where there is none, why: ``no_mark``, ``empty_mark``, ``marks_differ``, ``corrected``."""

    answer: Answer | None
    reason: str | None = None


class Verdict(NamedTuple):
    """What an answer is worth, why it is not known, and the answer that was read."""

    result: Literal["right", "wrong", "unknown", "truncated"]
    reason: str | None
    answer: str | None


def read_answer(reply: str, *, pattern: str | None = None) -> Reading:
    r"""Returns the final answer that a reply marks, or why it has none.

    Args:
        pattern: the answer is the last match of this regular expression instead, its first group that took part.

    >>> read_answer("So it is 9 * 2.\n\nLa respuesta es 18.").answer.text
    '18'
    >>> read_answer("I would say 18, or so").reason
    'no_mark'
    """
    text = without_thoughts(reply)
    if pattern is not None:
        span = by_pattern(text, pattern)
        return Reading(None, "no_mark") if span is None else Reading(_answer(span, "pattern"))
    chosen = choose(text, candidates(text))
    if isinstance(chosen, Candidate):
        return Reading(_from(chosen))
    if chosen != "no_mark":
        return Reading(None, chosen)
    line = closing_line(text)
    return Reading(None, "no_mark") if line is None else Reading(_from(line))


def judge_answer(reply: str, reference: str, *, is_cut: bool = False, pattern: str | None = None) -> Verdict:
    """Returns whether the answer of a reply is the reference; ``unknown`` where that cannot be said, with the reason.

    Args:
        reference: an answer, or a solution that marks one.
        is_cut: the reply ended by its length limit; an answer it may have cut is ``truncated``.
    """
    wanted = reference_answer(reference)
    answer, reason = read_answer(reply, pattern=pattern)
    if answer is None and pattern is None and reason == "no_mark":
        answer = bare_answer(reply, wanted)
    if answer is None:
        if is_cut:
            return Verdict("truncated", None, None)
        return Verdict("unknown", reason, None)
    result, why = _compared(answer, wanted)
    if is_cut and answer.at_end:
        return Verdict("truncated", None, answer.text)
    return Verdict(result, why, answer.text)


@lru_cache(maxsize=4096)
def reference_answer(reference: str) -> str:
    r"""Returns the answer a reference states: what it marks, or the whole of it.

    >>> reference_answer("9 * 2 = 18\n#### 18"), reference_answer("Blue whale")
    ('18', 'Blue whale')
    """
    answer = read_answer(reference).answer
    if answer is None or answer.listed or answer.mark in ("line", "phrase"):
        return reference.strip()
    return answer.text


def answer_key(reply: str, *, pattern: str | None = None) -> str | None:
    """Returns the answer of a reply as a text that is the same for equal answers; null where none can be read."""
    answer = read_answer(reply, pattern=pattern).answer
    if answer is None:
        text = without_thoughts(reply).strip()
        if pattern is not None or not _is_bare(text) or len(text.split()) > 3 or _declines(text):
            return None
        answer = Answer(trimmed(text, None), "bare")
    if answer.listed:
        return canonical(", ".join(answer.listed), language=answer.language)
    key = canonical(answer.text, language=answer.language)
    plain = " ".join(answer.text.casefold().split())
    return key if key is not None else (plain if answer.mark == "pattern" and plain else None)


def bare_answer(reply: str, reference: str) -> Answer | None:
    """Returns a reply of one line that is nothing but an answer of the reference's kind and length."""
    text = without_thoughts(reply).strip()
    if _same(text, reference):
        return Answer(text, "bare", at_end=True)
    if not _is_bare(text) or _declines(text):
        return None
    plain = trimmed(text, None)
    if _same(plain, reference):
        return Answer(plain, "bare", at_end=True)
    if not plain or plain.endswith(("?", ":")) or "box" in plain or names_answer(plain):
        return None
    equation = "=" in plain and "=" not in reference
    if not equation and len(plain) <= len(reference) + 20 and compare(plain, reference).result == "right":
        return Answer(plain, "bare", at_end=True)
    if (
        len(plain.split()) > len(reference.split()) + 1
        or len(plain) > 2 * len(reference) + 20
        or _holds(plain, reference)
    ):
        return None
    if any(letter.isdigit() for letter in reference + plain):
        return None
    return Answer(plain, "bare", at_end=True)


def without_wrapping(text: str) -> str:
    """Returns an answer without emphasis, quotes and a closing stop.

    >>> without_wrapping(' **"Paris."** ')
    'Paris'
    """
    return trimmed(text, None)


def _is_bare(text: str) -> bool:
    return bool(text) and len(text) <= _BARE and "\n" not in text and ". " not in text


def _holds(text: str, reference: str) -> bool:
    one, other = text.casefold(), reference.casefold()
    return one != other and (other in one or one in other)


def _declines(text: str) -> bool:
    return text.casefold().strip(" .!*_") in _NO_ANSWERS


def _same(text: str, other: str) -> bool:
    return bool(text) and " ".join(text.split()) == " ".join(other.split())


def _compared(answer: Answer, reference: str) -> tuple[Literal["right", "wrong", "unknown"], str | None]:
    if answer.listed:
        both = compare(", ".join(answer.listed), reference, language=answer.language)
        return ("right", None) if both.result == "right" else ("unknown", "several_answers")
    if _same(answer.text, reference) or _same_words(answer, reference):
        return "right", None
    letter = _OPTION.match(answer.text)
    if letter and re.fullmatch(r"\(?[A-J]\)?", reference):
        return ("right" if letter[1] == reference.strip("()") else "wrong"), None
    result, reason = compare(answer.text, reference, language=answer.language)
    if result == "wrong" and answer.text.endswith("!") and _exclaimed(answer, reference):
        return "right", None
    if result == "wrong" and answer.language is None and _GROUPED.search(answer.text):
        others = [compare(answer.text, reference, language=one).result for one in ("de", "en")]
        if "right" in others:
            return "unknown", "readers_differ"
    if result == "wrong" and _PARTS.search(answer.text):
        return "unknown", "answer_unread"
    if result == "wrong" and _OR.search(answer.text) and not _OR.search(reference) and _holds(answer.text, reference):
        return "unknown", "holds_reference"
    return result, reason


def _same_words(answer: Answer, reference: str) -> bool:
    """Says whether two texts of words are the same but for case; a letter may be a variable, unless it stands alone."""
    one, other = answer.text, reference.strip()
    return one.casefold() == other.casefold() and (
        (len(other) > 2 and not re.search(r"[\d\\=+^]", other))
        or (answer.mark == "bare" and bool(re.fullmatch("[A-J]", other)))
    )


def _exclaimed(answer: Answer, reference: str) -> bool:
    """Says whether an answer is right once its closing ``!`` is no factorial but an exclamation."""
    return compare(answer.text.rstrip("! "), reference, language=answer.language).result == "right"


def _from(chosen: Candidate) -> Answer:
    return Answer(chosen.text, chosen.mark, chosen.language, chosen.at_end, chosen.listed)


def _answer(span: tuple[str, bool], mark: str) -> Answer:
    text = trimmed(span[0], None)
    return Answer(text, mark, at_end=span[1])


__all__ = ["Answer", "Reading", "Verdict", "answer_key", "bare_answer", "judge_answer", "read_answer",
           "reference_answer", "without_wrapping"]  # fmt: skip
