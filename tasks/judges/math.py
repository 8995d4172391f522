r"""Says whether the final answer of a solution is the reference answer.

Source: math-verify (Hugging Face); answer marks of GSM8K (arXiv:2110.14168) and MATH (arXiv:2103.03874).

Use it for problems with one final answer. It is bad at proofs, at several answers, and at telling a right way from a
lucky one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._answers import Answer, bare, final_answer, values, without_unit
from tasks.judges._rows import Row, cut, judgeable, rule

_WORD = re.compile(
    r"(?<![\\A-Za-z])(?:[A-Za-z]{3,}|(?:or|to|of|is|in|at|an|am|pm|as|by|on|it|no|so|if|up|do|be|he|we|my)\b)",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundred|thousand|million|billion|dozen|half|third|quarter|couple|none|nothing|nobody)\b",
    re.IGNORECASE,
)
_TIMES = re.compile(r"(?<=\d)\s*[x×·]\s*(?=\d)")
_LONGEST = 300


@judge(needs=("reference",))
def math(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    no_answer: Literal["wrong", "unparsable"] = "wrong",
    criterion: str = "correct",
) -> list[Row]:
    r"""Returns one judgment a completion: score 1 where its final answer equals the reference, 0 where it does not.

    Plain numbers (signs, currency, thousands separators, decimals, fractions, percentages, units) are compared exactly;
    everything else goes to math-verify. Three cases are never a score: a solution cut by its length limit before or
    inside its answer (``truncated``); an answer that cannot be read but holds the reference's number or a number in
    words, so that it may be right (``unparsable``); a reference that cannot be read (``unparsable``).

    Args:
        prompt: its ``reference`` is the answer, or a solution with a marked answer (``#### 18``, ``\boxed{18}``).
        no_answer: what a complete solution is that marks no answer, or one that cannot be the reference (``10+John's
            age`` for 50). ``wrong``, as the published labels of GSM8K have it, with the flag ``no_answer`` or
            ``unreadable_answer``; or ``unparsable``, which takes it out of the data.
        criterion: the name the scores get.
    """
    reference = str(prompt["reference"])
    marked = final_answer(reference)
    gold = marked.text if marked else reference
    rows = []
    for completion in judgeable(completions):
        answer = final_answer(text_of(completion["messages"]))
        verdict, flags = _verdict(answer, gold, cut(completion), no_answer)
        why = f"answer {answer.text[:_LONGEST]!r}, reference {gold!r}" if answer else f"no answer, reference {gold!r}"
        rows.append(rule(completion, criterion, verdict, why=why, flags=flags))
    return rows


def _verdict(answer: Answer | None, gold: str, is_cut: bool, no_answer: str) -> tuple[bool | str, list[str]]:
    missing: bool | str = False if no_answer == "wrong" else "unparsable"
    if is_cut and (answer is None or answer.at_end):
        return "truncated", []
    if answer is None or not answer.text:
        return missing, ["no_answer"]
    equal = _equal(answer.text, gold)
    if isinstance(equal, bool):
        return equal, []
    if equal == "answer":
        maybe = _may_be(answer.text, gold)
        return ("unparsable" if maybe else missing), ["unreadable_answer"]
    return "unparsable", [equal]


@lru_cache(maxsize=65536)
def _equal(answer: str, gold: str) -> bool | str:
    """Says whether two answers are equal, or which of them cannot be read (``answer``, else a flag)."""
    wanted = values(gold)
    found = values(answer)
    if wanted and found:
        return not wanted.isdisjoint(found)
    if " ".join(bare(answer).casefold().split()) == " ".join(bare(gold).casefold().split()):
        return True
    wanted_forms = _parsed(gold)
    if not wanted_forms:
        return "unreadable_reference"
    found_forms = _parsed(answer)
    return _verified(wanted_forms, found_forms) if found_forms else "answer"


def _may_be(answer: str, gold: str) -> bool:
    """Says whether an unreadable answer may mean the reference after all: it holds its number, or one in words."""
    numbers = [values(number) for number in re.findall(r"[-−]?\d[\d,]*(?:\.\d+)?", answer)]
    wanted = values(gold)
    return bool(_IN_WORDS.search(answer)) or any(not wanted.isdisjoint(number) for number in numbers)


@lru_cache(maxsize=65536)
def _parsed(answer: str) -> tuple[Any, ...]:
    """Returns the expressions math-verify reads in the whole answer; none where it holds words or is over-long.

    The library is given the whole text as one formula: of plain text it takes the part it knows, and 10 of "10 + age".
    """
    from math_verify import LatexExtractionConfig, parse

    text = _TIMES.sub(r" \\times ", without_unit(bare(answer))).replace("**", "^")
    if len(text) > _LONGEST or not text or _WORD.search(text):
        return ()
    text = text.replace("$", "")
    forms = parse(f"${text}$", [LatexExtractionConfig()], fallback_mode="no_fallback")
    return tuple(form for form in forms if not isinstance(form, str))


def _verified(wanted: tuple[Any, ...], found: tuple[Any, ...]) -> bool | str:
    from math_verify import verify
    from math_verify.errors import TimeoutException

    try:
        return bool(verify(list(wanted), list(found), raise_on_error=True))
    except (TimeoutException, ArithmeticError, AttributeError, TypeError, NotImplementedError, RecursionError):
        return "not_comparable"  # the library gave up; that is no verdict
