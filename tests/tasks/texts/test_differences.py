import re
from difflib import SequenceMatcher

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.texts import differences
from tasks.texts.differences import differing, masks
from tasks.texts.tokens import listed, spaced

SPACES = [" ", "  ", "\n", "\t", "\x1c", "\x85", "\u00a0", "\u1680", "\u2009", "\u2028", "\u202f", "\u205f", "\u3000"]
PARTS = ["a", "b", "the", "\x00", "\x01", "é", "中", "\u200b", "e" * 9, "f" * 17, "g" * 70, "g" * 71, *SPACES]
TEXT = st.lists(st.sampled_from(PARTS), max_size=25).map("".join)


def plain(one, other):
    """Returns the masks of one pair straight from difflib's opcodes."""
    found = ([0] * len(one), [0] * len(other))
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what != "equal":
            found[0][a:b], found[1][c:d] = [1] * (b - a), [1] * (d - c)
    return found


def by_row(tokens, mask):
    return [mask[a:b].tolist() for a, b in zip(tokens.first, tokens.first[1:], strict=False)]


def both(sides, by):
    tokens = [by(side) for side in sides]
    found = masks(*tokens)
    return list(zip(*(by_row(own, mask) for own, mask in zip(tokens, found, strict=True)), strict=True))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_words_differ_as_difflib_finds_one_pair_at_a_time(pairs):
    sides = [pl.Series([pair[side] for pair in pairs], dtype=pl.String) for side in (0, 1)]
    assert both(sides, spaced) == [plain(*(re.findall(r"\s*\S+", text) for text in pair)) for pair in pairs]


LIST = st.lists(st.sampled_from("abc"), max_size=14)


@given(st.lists(st.tuples(LIST, LIST), max_size=6))
def test_tokens_differ_as_difflib_finds_one_pair_at_a_time(pairs):
    sides = [pl.Series([pair[side] for pair in pairs], dtype=pl.List(pl.String)) for side in (0, 1)]
    assert both(sides, listed) == [plain(*pair) for pair in pairs]


def test_small_portions_and_pairs_left_to_difflib_give_the_same(monkeypatch):
    texts = [("a b c a b " * n, "b a c " * n) for n in range(1, 30)]
    sides = [pl.Series([pair[side] for pair in texts]) for side in (0, 1)]
    expected = [plain(*(re.findall(r"\s*\S+", text) for text in pair)) for pair in texts]
    assert both(sides, spaced) == expected
    monkeypatch.setattr(differences, "PLACES", 400)  # pairs with more than 100 common places go to difflib
    monkeypatch.setattr(differences, "_CHUNK", 4)
    assert both(sides, spaced) == expected
    monkeypatch.setattr(differences, "DENSE", 10**6)
    assert both(sides, spaced) == expected


WORDS = st.lists(st.sampled_from("abcde"), min_size=8, max_size=40)
EDITS = st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["", "a", "x", "a b c d"])), max_size=5)


@given(st.lists(st.tuples(WORDS, EDITS), max_size=5))
def test_edited_texts_differ_as_difflib_finds_one_pair_at_a_time(made):
    pairs = []
    for words, edits in made:
        other = list(words)
        for place, put in edits:
            other[place % len(other)] = put
        pairs.append((" ".join(words), " ".join(other)))
    sides = [pl.Series([pair[side] for pair in pairs], dtype=pl.String) for side in (0, 1)]
    assert both(sides, spaced) == [plain(*(re.findall(r"\s*\S+", text) for text in pair)) for pair in pairs]


def test_nothing_in_common_and_nothing_at_all():
    assert both([pl.Series(["a b", ""]), pl.Series(["c", "d"])], spaced) == [([1, 1], [1]), ([], [1])]
    assert both([pl.Series([], dtype=pl.String)] * 2, spaced) == []
    assert differing("ab", "cab") == ([0, 0], [1, 0, 0])
