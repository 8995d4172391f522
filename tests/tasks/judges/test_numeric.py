import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.judges.numeric import numeric


def one(text, reference="50", finish="stop", **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": finish}
    (row,) = numeric({"reference": reference}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    ("text", "settings", "score"),
    [
        ("Answer: 50", {}, 1.0),
        ("Answer: 50.0 dollars", {}, 1.0),
        ("Answer: 51", {}, 0.0),
        ("Answer: 52.5", {"relative": 0.05}, 1.0),
        ("Answer: 52.6", {"relative": 0.05}, 0.0),
        ("Answer: 49", {"absolute": 1}, 1.0),
        ("Answer: -50", {"relative": 0.5}, 0.0),
        ("#### 1/2", {"absolute": 49.5}, 1.0),
        ("Answer: 50", {"score": "closeness"}, 1.0),
        ("Answer: 100", {"score": "closeness"}, 0.5),
        ("Answer: 0", {"score": "closeness"}, 0.5),
    ],
)
def test_a_number_is_judged_by_its_distance(text, settings, score):
    row = one(text, **settings)
    assert (row["outcome"], row["score"]) == ("valid", score)


def test_a_reference_of_zero_has_only_an_absolute_tolerance():
    assert one("Answer: 0.001", "0", relative=0.5)["score"] == 0.0
    assert one("Answer: 0.001", "0", absolute=0.01)["score"] == 1.0


def test_the_reference_may_be_a_marked_solution():
    assert one("Answer: 18", "9 * 2 = 18\n#### 18")["score"] == 1.0


@pytest.mark.parametrize("text", ["I do not know.", "Answer: many", "Answer:"])
def test_no_number_is_no_verdict(text):
    assert (one(text)["outcome"], one(text)["score"]) == ("unparsable", None)


def test_a_number_that_was_cut_is_truncated():
    assert one("Answer: 5", finish="length")["outcome"] == "truncated"
    assert one("so far", finish="length")["outcome"] == "truncated"
    assert one("Answer: 50\nThat is", finish="length")["score"] == 1.0


def test_a_tolerance_below_zero_is_refused():
    with pytest.raises(ValueError, match="tolerance below zero"):
        one("Answer: 5", "5", relative=-1)


def test_a_reference_without_a_number_gives_no_verdict():
    row = one("Answer: 5", "none")
    assert (row["outcome"], row["score"], row["flags"]) == ("unparsable", None, ["reference_unread"])


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.floats(0, 100))
def test_a_wider_tolerance_never_refuses_what_a_narrower_one_accepts(found, wanted, width):
    narrow = one(f"Answer: {found}", str(wanted), absolute=width)["score"]
    assert one(f"Answer: {found}", str(wanted), absolute=width + 1)["score"] >= narrow
