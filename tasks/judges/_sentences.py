"""Counts English, Spanish and French sentences the way the Punkt tokenizer does, without its data files.

Source: Kiss and Strunk, Unsupervised Multilingual Sentence Boundary Detection (Computational Linguistics 32:4, 2006).

A period ends a sentence unless it belongs to a known abbreviation, an initial, or an ordinal before a small letter;
``?`` and ``!`` always do. The abbreviations and the words that start sentences stand for the corpus statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

_CLOSING = ")]}\"'’”*_"
_ABBREVIATIONS_TEXT = """
dr mr mrs ms prof rev gen col sgt lt capt sen rep gov pres hon st sr jr ph.d m.d b.a m.a d.c u.s u.k u.n u.s.a
e.g i.e vs etc cf al inc ltd co corp bros no nos vol pp ed eds fig jan feb mar apr aug sept oct nov dec mon
tue wed thu fri sat sun a.m p.m a.d b.c ave blvd rd dept est approx min max oz lb ft
"""
_ABBREVIATIONS = frozenset(_ABBREVIATIONS_TEXT.split())
_STARTERS_TEXT = """
the a an this that these those it he she we they i you in on at by for from to of as if when while after
before but and or so yet however there here what who where why how is are was were do does did can could
should would may might must let my your his her its our their one some many most all each every no not with
without then now also although because since during until what's it's i'm he's she's that's there's we're
they're you're
"""
_STARTERS = frozenset(_STARTERS_TEXT.split())
_OTHERS_TEXT = {
    "es": """sr sra srta dr dra d dña prof ing lic arq gral cap av avda c ee.uu uu ee p.ej ej pág págs art núm no nos
        etc vs tel ud uds vd a.c d.c s.a s.l a.m p.m ph.d st mr mrs ms jr inc ltd co cf vol fig aprox máx mín""",
    "fr": """m mm mr mme mlle mmes mlles dr dre pr prof me st ste cap lt dir adm assoc min etc cf vs ex p.ex i.e e.g
        c.-à-d apr av j.c j.-c a.d env janv fév févr mar avr juil sept oct nov déc svp p.-v p.v tél tel adj q.v p pp
        resp v vol nb n.b p.s ps p.p.s p.-s p-s s.a art fig éd ed no""",
}
_OTHERS = {language: frozenset(text.split()) for language, text in _OTHERS_TEXT.items()}


def count(text: str, language: str = "en") -> int:
    """Returns how many sentences a text has; none when it is blank.

    Args:
        language: ``en``, ``es`` or ``fr``: whose abbreviations end no sentence.

    >>> count("Dr. Smith met J. Doe at 5 p.m. sharp. Was it late? Yes!")
    3
    """
    words = text.split()
    ends = _ends if language == "en" else _ends_elsewhere(_OTHERS[language])
    return 1 + sum(ends(word, after) for word, after in pairwise(words)) if words else 0


def _ends_elsewhere(abbreviations: frozenset[str]) -> Callable[[str, str], bool]:
    """Returns whether a sentence ends with a word, for languages of which no list of first words is kept."""

    def ends(word: str, after: str) -> bool:
        word = word.rstrip(_CLOSING + "»")
        before = word.rstrip(".?!…")
        marks = word[len(before) :]
        if not marks or "?" in marks or "!" in marks:
            return bool(marks)
        following = after.lstrip("\"'“‘«([{*_#-–—¿¡")
        if len(marks) > 1 or "…" in marks:
            return following[:1].isupper()
        before = before.lstrip("\"'“‘«([{*_-–—¿¡").lower()
        if before in abbreviations or (len(before) == 1 and before.isalpha()):
            return False
        return not following[:1].islower()

    return ends


def _ends(word: str, after: str) -> bool:
    """Says whether a sentence ends with this word."""
    word = word.rstrip(_CLOSING)
    before = word.rstrip(".?!")
    marks = word[len(before) :]
    if not marks:
        return False
    following = after.lstrip("\"'“‘([{*_#")
    starts = following.lower().rstrip(".,;:!?\"'”’)*") in _STARTERS and following[:1].isupper()
    if "?" in marks or "!" in marks:
        return True
    if len(marks) > 1:
        return starts
    before = before.lstrip("\"'“‘([{*_-–—").lower()
    if before in _ABBREVIATIONS:
        return starts
    if len(before) == 1 and before.isalpha():
        return starts and before == "i"
    return not (before.isdigit() and following[:1].islower())
