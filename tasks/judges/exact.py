"""Says whether the completion, or what follows a mark in it, is the reference text.

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


@judge(needs=("reference",))
def exact(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    after: str | None = None,
    ignore_case: bool = False,
    criterion: str = "correct",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its text equals the reference, 0 where it differs.

    Surrounding whitespace, runs of whitespace and Unicode composition do not count. A completion cut by its length
    limit that differs is ``truncated``: the rest may have made it equal.

    Args:
        after: compare only what follows the last occurrence of this text; a completion without it scores 0 and has
            the flag ``no_answer``.
    """
    wanted = _plain(str(prompt["reference"]), ignore_case)
    rows = []
    for completion in judgeable(completions):
        _, mark, answer = text_of(completion["messages"]).rpartition(after) if after else ("", "all", "")
        answer = answer if after else text_of(completion["messages"])
        right = bool(mark) and _plain(answer, ignore_case) == wanted
        verdict: bool | str = "truncated" if cut(completion) and not right else right
        rows.append(rule(completion, criterion, verdict, flags=[] if mark else ["no_answer"]))
    return rows


def _plain(text: str, ignore_case: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text.casefold() if ignore_case else text
