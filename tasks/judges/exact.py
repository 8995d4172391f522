"""Says whether the answer of a completion is the reference text.

Source: exact match after whitespace and Unicode normalisation, as in SQuAD's metric (arXiv:1606.05250, section 6.1).

Use it for labels, choices and other answers with one spelling. It is bad at numbers and prose, which can be right in
other words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, cut, judgeable, rule
from tasks.readers.answers import Answer, bare_answer, read_answer, reference_answer, without_wrapping
from tasks.readers.values import compare


@judge(needs=("reference",))
def exact(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    after: str | None = None,
    pattern: str | None = None,
    ignore_case: bool = False,
    criterion: str = "correct",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its answer is the reference text, 0 where it is another.

    The answer is the whole completion where that is no longer than an answer, else what it marks as one (see
    ``math``), without a closing stop, quotes and Markdown. Runs of whitespace and Unicode composition do not count. A
    completion without an answer is ``unparsable`` with the flag ``no_mark``; one that its length limit may have cut
    within its answer is ``truncated``; another form of the reference's number (``1,000`` for ``1000``) is no wrong
    answer, but ``unparsable`` with the flag ``other_form``.

    Args:
        after: the answer is what follows the last occurrence of this text.
        pattern: the answer is the last match of this regular expression, its first group that took part. RE2 reads it:
            no look-around.

    Raises:
        ValueError: both ``after`` and ``pattern``, or the pattern is not a regular expression.
    """
    if after and pattern is not None:
        raise ValueError("exact takes after or pattern, not both")
    reference = str(prompt["reference"])
    rows = []
    for completion in judgeable(completions):
        text = text_of(completion["messages"])
        answer = _answer(text, reference, after, pattern)
        right = answer is not None and any(
            _plain(answer.text, ignore_case) == _plain(wanted, ignore_case)
            for wanted in (reference, without_wrapping(reference), reference_answer(reference))
        )
        verdict: bool | str = right if answer is not None else "unparsable"
        if cut(completion) and not right and (answer is None or answer.at_end):
            verdict = "truncated"
        flags = ["no_mark"] if verdict == "unparsable" else []
        if verdict is False and answer is not None and _same_value(answer.text, reference):
            verdict, flags = "unparsable", ["other_form"]
        rows.append(rule(completion, criterion, verdict, flags=flags))
    return rows


def _answer(text: str, reference: str, after: str | None, pattern: str | None) -> Answer | None:
    if after:
        _, mark, rest = text.rpartition(after)
        rest = without_wrapping(rest)
        return Answer(rest, "pattern", at_end=True) if mark and rest else None
    if pattern is not None:
        return read_answer(text, pattern=pattern).answer
    bare = bare_answer(text, reference)
    if bare is not None:
        return bare
    answer = read_answer(text).answer
    return None if answer is None or answer.listed else answer


def _same_value(answer: str, reference: str) -> bool:
    """Says whether two texts that differ are one number or formula; of words the spelling itself is judged."""
    if not any(letter.isdigit() or letter in "\\√π" for letter in reference):
        return False
    return compare(answer, reference_answer(reference)).result == "right"


def _plain(text: str, ignore_case: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text.casefold() if ignore_case else text
