import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.judges.repetition import repeated, repetition


def one(text, **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": "length"}
    (row,) = repetition({}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    ("text", "n", "share"),
    [
        ("a b c d", 1, 0.0),
        ("a a a a", 1, 0.75),
        ("To be or not to be", 2, 0.2),  # five pairs, four of them new
        ("a b", 4, 0.0),
        ("", 1, 0.0),
        ("はははは", 2, 2 / 3),
    ],
)
def test_the_share_of_ngrams_that_are_not_new(text, n, share):
    assert repeated(text, n) == pytest.approx(share)
    assert json.loads(one(text, n=n)["meta"])["repeated"] == pytest.approx(share)


def test_endless_repetition_fails_also_where_it_was_cut():
    row = one("I am sorry. " * 500)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"] == "99.8% of the 4-grams are repeated"
    assert one("Every word of this sentence is new to it.")["score"] == 1.0


def test_the_score_may_be_the_share_that_is_new():
    assert one("a a a a", n=1, score="distinct")["score"] == 0.25


@pytest.mark.parametrize("settings", [{"n": 0}, {"at_most": 1.5}, {"at_most": -0.1}])
def test_bounds_outside_their_range_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1"):
        one("x", **settings)


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.integers(1, 4))
def test_a_text_said_twice_repeats_at_least_as_much(words, n):
    text = " ".join(words)
    assert 0.0 <= repeated(text, n) <= repeated(f"{text} {text}", n) + 1e-12
