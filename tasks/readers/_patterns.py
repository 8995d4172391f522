"""A regular expression of the user's own that finds the answer of a text.

Source: RE2 (linear in the length of the text), so a pattern cannot stop a run; look-around is not among what it reads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]


@lru_cache
def compiled(pattern: str) -> Any:
    """Returns the compiled pattern.

    Raises:
        ValueError: it is no regular expression, or one with look-around or references back, which RE2 does not read.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        detail = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(
            f"pattern {pattern!r} is not a regular expression that RE2 reads ({detail}); look-around and references "
            "back are not allowed"
        ) from error


def by_pattern(text: str, pattern: str) -> tuple[str, bool] | None:
    """Returns the answer by the last match, its first group that took part, and whether the text ends with it."""
    last = None
    for match in compiled(pattern).finditer(text):
        last = match
    if last is None:
        return None
    groups = [i for i in range(1, len(last.groups()) + 1) if last.group(i) is not None]
    inside = last.group(groups[0]) if groups else last.group(0)
    if not inside.strip():
        return None
    return inside.strip(), last.end() == len(text.rstrip())
