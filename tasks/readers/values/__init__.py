r"""Says whether a short answer is the reference: right, wrong, or not known, exactly and in bounded time.

Source: math-verify (Hugging Face) as the second reader; answer kinds of MATH (arXiv:2103.03874), GSM8K
(arXiv:2110.14168).

>>> compare("\\frac{2}{4}", "0.5").result, compare("x-4=0", "x-3=0").result
('right', 'wrong')
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tasks.readers.values import markup
from tasks.readers.values import words as texts
from tasks.readers.values.algebra import TooLargeError, UnreadError
from tasks.readers.values.equality import equal
from tasks.readers.values.kinds import Quantity, Relation, Value, Words, key
from tasks.readers.values.measures import formulas
from tasks.readers.values.reading import LONGEST, Readings, readings

__all__ = ["Comparison", "canonical", "compare", "readable", "second_answer"]

Reason = Literal["answer_unread", "reference_unread", "readers_differ", "holds_reference", "too_long"]
_FAULTS = (UnreadError, ArithmeticError, ValueError, RecursionError)
_HEDGE = re.compile(
    r"\b(?:not|n't|isn't|instead|rather|wrong|incorrect|unless|would|might|maybe|perhaps|or|if|except|but)\b|\?",
    re.IGNORECASE,
)
_NUMERAL = re.compile(r"\d+(?:[.,]\d+)*")


class Comparison(NamedTuple):
    """A result, and for one that is not known why."""

    result: Literal["right", "wrong", "unknown"]
    reason: Reason | None = None


_RIGHT = Comparison("right")
_WRONG = Comparison("wrong")


def compare(answer: str, reference: str, *, language: str | None = None) -> Comparison:
    r"""Returns whether an answer equals the reference; ``unknown`` unless both are understood.

    Args:
        language: of the answer (``de``, ``pt-BR``): says whether a comma is a decimal comma.

    >>> compare("5 feet", "5 meters").result, compare("the capital is Paris", "Paris")
    ('wrong', Comparison(result='unknown', reason='holds_reference'))
    """
    answer, reference = answer.strip(), reference.strip()
    if max(len(answer), len(reference)) > LONGEST:
        same = answer == reference or (len(answer) == len(reference) and answer.split() == reference.split())
        return _RIGHT if same and answer else Comparison("unknown", "too_long")
    one, two = markup.plain(answer), markup.plain(reference)
    if not two:
        return _RIGHT if answer == reference and answer else Comparison("unknown", "reference_unread")
    if not one:
        return Comparison("unknown", "answer_unread")
    if _spelled(one) == _spelled(two):
        return _RIGHT
    try:
        wanted = _read(two, language, reference=True)
        given = _read(one, language, reference=False)
    except TooLargeError:
        return Comparison("unknown", "too_long")
    if not wanted.values:
        return Comparison("unknown", "reference_unread")
    if not given.values:
        return Comparison("unknown", "holds_reference" if texts.holds(one, two) else "answer_unread")
    return _judged(given, wanted, one, two)


def _spelled(text: str) -> str:
    """Returns a text without the spaces that separate nothing."""
    return re.sub(r"(?<!\w) +| +(?!\w)", "", text)


def _read(text: str, language: str | None, *, reference: bool) -> Readings:
    try:
        result = readings(text, language, reference=reference)
    except TooLargeError:
        raise
    except _FAULTS:
        result = Readings((), doubtful=False)
    if result.values:
        return result
    word = texts.words(text)
    return Readings((word,) if word is not None else (), doubtful=False)


def _judged(given: Readings, wanted: Readings, answer: str, reference: str) -> Comparison:
    results = [[_equal(a, b) for b in wanted.values] for a in given.values]
    first = results[0][0]
    every = [result for row in results for result in row]
    if wanted.doubtful and len(set(every)) > 1:
        return Comparison("unknown", "reference_unread")
    if first is True:
        return _RIGHT
    if first is False and True not in every:
        return _WRONG
    if texts.holds(answer, reference):
        return Comparison("unknown", "holds_reference")
    if first is None and _undecided(given.values[0], wanted.values[0]):
        from tasks.readers.values.verify import verified

        return _RIGHT if verified(_latex(answer), _latex(reference)) else Comparison("unknown", "readers_differ")
    if isinstance(given.values[0], Words) != isinstance(wanted.values[0], Words):
        return Comparison("unknown", "answer_unread" if isinstance(given.values[0], Words) else "readers_differ")
    return Comparison("unknown", "readers_differ")


def _equal(a: Value, b: Value) -> bool | None:
    try:
        return equal(a, b)
    except _FAULTS:
        return None


def _latex(text: str) -> str:
    return text.replace("\\degree", r"\cdot\frac{\pi}{180}")


def _undecided(a: Value, b: Value) -> bool:
    """Says whether two formulas stand apart in writing only, as far as their values show."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return a.unit is b.unit is None and a.percent == b.percent and formulas(a.formula, b.formula) is None
    return isinstance(a, Relation) and isinstance(b, Relation)


def canonical(text: str, *, language: str | None = None) -> str | None:
    r"""Returns one text for answers of one value; null where the answer is not understood.

    Currency, nouns behind a number and the name before an equals sign are left out.

    >>> canonical("$1,250.00"), canonical("x = \\frac{10}{4}"), canonical("7, 2") == canonical("2 and 7")
    ('1250', '5/2', True)
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    try:
        plain = markup.plain(text)
        values = _read(plain, language, reference=False).values
        return key(values[0]) if values else None
    except _FAULTS:
        return None


def readable(text: str) -> bool:
    """Says whether an answer is understood."""
    return canonical(text) is not None


def second_answer(reply: str, reference: str) -> Comparison:
    """Returns ``right`` where a reply without a marked answer ends in the reference, else ``unknown``.

    The answer is what math-verify takes from the last line, and only where that line's last sentence asserts it: it
    holds no other number but those before an equals sign, no question, denial or alternative.
    """
    lines = reply[-20_000:].rstrip().rsplit("\n", 1)
    line = lines[-1].strip()
    if len(line) > LONGEST or len(reference) > LONGEST:
        return Comparison("unknown", "too_long")
    sentence = re.split(r"(?<=[.!?。])\s+(?=[^\W\d_]|\$|\\)", line)[-1]
    if not sentence or _HEDGE.search(sentence):
        return Comparison("unknown", "answer_unread")
    from tasks.readers.values.verify import extracted

    found = extracted(sentence)
    if not found:
        return Comparison("unknown", "answer_unread")
    at = sentence.rfind(found)
    before = sentence[:at].rpartition("=")
    others = sentence[at + len(found) :] + before[2]
    if at < 0 or _NUMERAL.search(others):
        return Comparison("unknown", "answer_unread")
    result = compare(found, reference)
    return result if result.result == "right" else Comparison("unknown", "answer_unread")
