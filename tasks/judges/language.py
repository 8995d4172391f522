"""Says whether a completion is written in the language it should be.

Source: langid.py (Lui and Baldwin, ACL 2012); language consistency reward of DeepSeek-R1 (arXiv:2501.12948, 2.3.2).

Use it against answers that slip into another language. It is bad at short texts, at close relatives such as Norwegian
and Danish, and at mixed ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges import _languages
from tasks.judges._rows import Row, judgeable, rule

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)


def _checks(*, wanted: str | None = None, **_: Any) -> None:
    if wanted:
        _known(wanted)


def _known(wanted: str) -> str:
    code = wanted.split("-")[0].lower()
    if code not in _languages.known():
        raise ValueError(f"the wanted language is {code!r}; known are {', '.join(_languages.known())}")
    return code


@judge(checks=_checks)
def language(
    prompt: Row,
    completions: Sequence[Row],
    *,
    wanted: str | None = None,
    by: Literal["text", "paragraph"] = "text",
    min_letters: int = 20,
    criterion: str = "language",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where its language is the wanted one, else 0.

    Code, links and everything that is no letter do not count. A text of fewer letters than ``min_letters`` says too
    little, and is ``unparsable``.

    Args:
        prompt: its ``language`` (ISO 639-1; what follows a hyphen is left out) is wanted where no parameter says so.
        by: ``paragraph`` scores the share of the letters that stand in paragraphs of the wanted language.

    Raises:
        ValueError: no language is wanted, or one that cannot be told.
    """
    code = _known(wanted or str(prompt.get("language") or ""))
    rows = []
    for completion in judgeable(completions):
        text = _CODE.sub(" ", text_of(completion["messages"]))
        guess = _languages.detect(text)
        if guess is None or sum(letter.isalpha() for letter in text) < min_letters:
            rows.append(rule(completion, criterion, "unparsable", why="too few letters"))
            continue
        made = rule(completion, criterion, guess.language == code, why=guess.language)
        if by == "paragraph":
            made["score"] = _share(text, code)
        made["meta"] = orjson.dumps(guess._asdict()).decode()
        rows.append(made)
    return rows


def _share(text: str, code: str) -> float:
    """Returns the share of the letters that stand in paragraphs of a language."""
    right = total = 0
    for paragraph in text.split("\n\n"):
        letters = sum(letter.isalpha() for letter in paragraph)
        guess = _languages.detect(paragraph)
        total += letters
        right += letters * (guess is not None and guess.language == code)
    return right / total
