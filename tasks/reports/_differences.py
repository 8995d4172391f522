"""What differs between two texts, word by word, as HTML.

Source: Ratcliff and Metzener 1988 (gestalt pattern matching), as in the standard library's difflib.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape

_PARTS = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)
MOST = 1500
"""Words from which on a text is shown without differences: they are no longer read, and take long to find."""

LEAST = 0.15
"""Share of the longer text's words that both must have for marks to be worth reading."""


def marked(one: str, other: str) -> tuple[str, str]:
    """Returns both texts as HTML: what only the first says is ``<ins>``, what only the second says is ``<del>``.

    >>> marked("It is 4.", "It is 5.")
    ('It is <ins>4</ins>.', 'It is <del>5</del>.')
    """
    left, right = _PARTS.findall(one), _PARTS.findall(other)
    if max(len(left), len(right)) > 2 * MOST:
        return escape(one), escape(other)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    shared = sum(
        word.isalnum() for block in matcher.get_matching_blocks() for word in left[block.a : block.a + block.size]
    )
    if shared < LEAST * max(sum(map(str.isalnum, side)) for side in (left, right)):
        return escape(one), escape(other)  # nothing in common: marks would only be noise
    made: tuple[list[str], list[str]] = ([], [])
    for kind, a, b, c, d in matcher.get_opcodes():
        for side, words, tag in ((0, left[a:b], "ins"), (1, right[c:d], "del")):
            text = escape("".join(words))
            made[side].append(text if kind == "equal" or not text.strip() else f"<{tag}>{text}</{tag}>")
    return "".join(made[0]), "".join(made[1])
