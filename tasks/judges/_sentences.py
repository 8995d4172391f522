"""Counts English sentences the way the Punkt tokenizer does, without its data files.

Source: Kiss and Strunk, Unsupervised Multilingual Sentence Boundary Detection (Computational Linguistics 32:4, 2006).

A period ends a sentence unless it belongs to a known abbreviation, an initial, or an ordinal before a small letter;
``?`` and ``!`` always do. The abbreviations and the words that start sentences stand for the corpus statistics.
"""

from __future__ import annotations

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


def count(text: str) -> int:
    """Returns how many sentences a text has; none when it is blank.

    >>> count("Dr. Smith met J. Doe at 5 p.m. sharp. Was it late? Yes!")
    3
    """
    words = text.split()
    return 1 + sum(_ends(word, after) for word, after in pairwise(words)) if words else 0


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
