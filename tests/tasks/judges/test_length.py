import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.judges import _units
from tasks.judges.length import length


def one(text, finish="stop", tokens=None, **settings):
    completion = {
        "completion_id": "c", "messages": assistant(text), "finish_reason": finish, "completion_tokens": tokens,
    }  # fmt: skip
    (row,) = length({}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    ("text", "settings", "score"),
    [
        ("one two three", {"at_least": 3}, 1.0),
        ("one two three", {"at_most": 2}, 0.0),
        ("one two three", {"at_least": 2, "at_most": 4}, 1.0),
        ("", {"at_most": 4}, 1.0),
        ("abc", {"at_most": 3, "unit": "characters"}, 1.0),
        ("A bee. See D! E", {"at_least": 3, "unit": "sentences"}, 1.0),
        ("a\n\nb\n", {"at_most": 2, "unit": "lines"}, 1.0),
        ("a\nb\n\nc", {"at_least": 3, "unit": "paragraphs"}, 0.0),
        ("one two three four", {"at_most": 2, "score": "closeness"}, 0.5),
        ("one", {"at_least": 4, "score": "closeness"}, 0.25),
        ("one two", {"at_least": 1, "score": "closeness"}, 1.0),
    ],
)
def test_a_length_is_inside_its_bounds_or_not(text, settings, score):
    row = one(text, **settings)
    assert (row["outcome"], row["score"]) == ("valid", score)


def test_tokens_are_those_of_the_completion():
    assert one("x", tokens=7, at_most=7, unit="tokens")["score"] == 1.0
    assert one("x", at_most=7, unit="tokens")["outcome"] == "unparsable"


def test_a_cut_text_that_is_too_short_is_truncated_and_one_that_is_too_long_is_not():
    assert one("one", "length", at_least=5)["outcome"] == "truncated"
    assert one("one two three", "length", at_most=2)["score"] == 0.0


@pytest.mark.parametrize("settings", [{}, {"at_least": 5, "at_most": 4}, {"at_least": -1}])
def test_bounds_that_bound_nothing_are_refused(settings):
    with pytest.raises(ValueError, match="no length lies within"):
        one("x", **settings)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="the unit is 'pages'"):
        _units.count("x", "pages")


def test_words_of_scripts_without_blanks_are_letters():
    assert _units.words("東京 is big, isn't it?") == ["東", "京", "is", "big", "isn't", "it"]


@given(st.lists(st.text("abc", min_size=1), max_size=20), st.integers(0, 10))
def test_exactly_one_of_at_least_and_at_most_one_less_holds(words, bound):
    text = " ".join(words)
    assert one(text, at_least=bound + 1)["score"] + one(text, at_most=bound)["score"] == 1.0
