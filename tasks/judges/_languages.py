"""Names the language of a text.

Source: langid.py (Lui and Baldwin, ACL 2012), in the package py3langid: 97 languages, the same answer every time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

LONGEST = 20_000


class Guess(NamedTuple):
    """A language (ISO 639-1) and how probable it is among those the model knows."""

    language: str
    probability: float


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def known() -> list[str]:
    """Returns the languages that can be named."""
    return sorted(_identifier().labels)


def detect(text: str) -> Guess | None:
    """Returns the language of a text; null when it holds no letter."""
    text = text[:LONGEST]
    if not any(letter.isalpha() for letter in text):
        return None
    language, probability = _identifier().classify(text)
    return Guess(str(language), float(probability))
