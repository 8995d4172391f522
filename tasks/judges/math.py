r"""Says whether the final answer of a solution is the reference answer.

Source: math-verify (Hugging Face); answer marks of GSM8K (arXiv:2110.14168) and MATH (arXiv:2103.03874).

Use it for problems with one final answer. It is bad at proofs, at several answers, and at telling a right way from a
lucky one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, answer_row, cut, judgeable, rule
from tasks.readers.answers import judge_answer

UNREAD = ("no_mark", "empty_mark", "answer_unread")


@judge(needs=("reference",))
def math(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    no_answer: Literal["wrong", "unparsable"] = "unparsable",
    criterion: str = "correct",
) -> list[Row]:
    r"""Returns one judgment a completion: score 1 where its final answer equals the reference, 0 where it does not.

    Only a marked or structured answer is read: a box, a tag, ``####``, a heading, words such as "The answer is" in many
    languages, or a last line that is nothing but the answer. Where none is found, or it or the reference is not
    understood, the outcome is ``unparsable`` with the reason as a flag; where the length limit cut it, ``truncated``.

    Args:
        prompt: its ``reference`` is the answer, or a solution with a marked answer (``#### 18``, ``\boxed{18}``).
        no_answer: what a complete solution is that marks no answer, or one that is not understood. ``wrong`` gives it
            the score 0, flagged, as the published labels of GSM8K have it: then an answer marked in an unusual way
            becomes a wrong one.
        criterion: the name the scores get.
    """
    reference = str(prompt["reference"])
    rows = []
    for completion in judgeable(completions):
        verdict = judge_answer(text_of(completion["messages"]), reference, is_cut=cut(completion))
        if no_answer == "wrong" and verdict.result == "unknown" and verdict.reason in UNREAD:
            rows.append(rule(completion, criterion, False, why="no readable answer", flags=[verdict.reason or ""]))
        else:
            rows.append(answer_row(completion, criterion, verdict, reference))
    return rows
