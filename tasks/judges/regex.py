"""Says whether the completion matches a regular expression.

Source: rule-based format rewards, e.g. DeepSeek-R1 (arXiv:2501.12948, section 2.2.2).

Use it for marks, keywords and forms that one pattern describes. It is bad at meaning, and a pattern is easily met by
accident.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, cut, judgeable, rule


def _checks(*, pattern: str, **_: Any) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"pattern {pattern!r} is not a regular expression: {error}") from error


@judge(checks=_checks)
def regex(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    pattern: str,
    whole: bool = False,
    expect: bool = True,
    criterion: str = "format",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where the pattern is found (or absent, as expected), else 0.

    A completion cut by its length limit is ``truncated`` where the missing rest could change the verdict: always for
    ``whole``, else where nothing was found so far.

    Args:
        pattern: Python syntax; ``.`` matches a line break, ``^`` and ``$`` match at lines.
        whole: the pattern must match the completion from end to end, surrounding whitespace excepted.
        expect: false turns the rule round: the pattern must not occur.

    Raises:
        ValueError: the pattern is not a regular expression.
    """
    compiled = _checks(pattern=pattern)
    rows = []
    for completion in judgeable(completions):
        text = text_of(completion["messages"])
        found = (compiled.fullmatch(text.strip()) if whole else compiled.search(text)) is not None
        open_end = cut(completion) and (whole or not found)
        rows.append(rule(completion, criterion, "truncated" if open_end else found is expect))
    return rows
