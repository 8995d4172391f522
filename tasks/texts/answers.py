r"""Final answers of solutions, in a form in which equal ones are equal.

Source: ``\boxed{…}`` (MATH, arXiv:2103.03874), ``#### …`` (GSM8K, arXiv:2110.14168).
"""

from __future__ import annotations

import re

import polars as pl

PATTERN = r"(?i)(?:\\boxed\{([^{}]*)\}|####[ \t]*(\S[^\n]*)|\banswer[*_]*\s*(?:is|:|=)\s*([^\n]+))"


def final_answer(text: pl.Expr, pattern: str = PATTERN) -> pl.Expr:
    r"""Returns the answer by the last match of the pattern, null where there is none: its first group that took part.

    Numbers are compared by value, so they are given back in one form; other texts without case, blanks and a closing
    stop.
    """
    found = text.str.extract_all(pattern).list.last()
    groups = re.compile(pattern).groups
    inner = pl.coalesce(*(found.str.extract(pattern, i) for i in range(1, groups + 1))) if groups else found
    plain = inner.str.replace_all(r"[$\s,*]|\\[()\[\]]", "").str.strip_chars_end(".").str.to_lowercase()
    number = plain.cast(pl.Float64, strict=False)
    answer = pl.when(number.is_finite()).then(number.cast(pl.String)).otherwise(plain)
    return pl.when(answer != "").then(answer)
