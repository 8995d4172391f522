import pytest

from schemas.messages import assistant
from tasks.judges.exact import exact


def one(text, reference, finish="stop", **settings):
    completion = {"completion_id": "c", "sample_index": 0, "messages": assistant(text), "finish_reason": finish}
    (row,) = exact({"reference": reference}, [completion], **settings)
    return row["outcome"], row["score"], row["flags"]


@pytest.mark.parametrize(
    ("text", "reference", "settings", "score"),
    [
        pytest.param("Paris", "Paris", {}, 1.0, id="equal"),
        pytest.param(" Paris\n", "Paris", {}, 1.0, id="whitespace around"),
        pytest.param("New\n  York", "New York", {}, 1.0, id="whitespace within"),
        pytest.param("Cafe\u0301", "Café", {}, 1.0, id="composed and decomposed"),
        pytest.param("paris", "Paris", {}, 0.0, id="case counts"),
        pytest.param("paris", "Paris", {"ignore_case": True}, 1.0, id="case ignored"),
        pytest.param("It is Paris", "Paris", {}, 0.0, id="more than the answer"),
        pytest.param("x Answer: no. Answer: Paris", "Paris", {"after": "Answer:"}, 1.0, id="after the last mark"),
        pytest.param("", "Paris", {}, 0.0, id="nothing"),
    ],
)
def test_text_is_compared_after_normalisation(text, reference, settings, score):
    assert one(text, reference, **settings) == ("valid", score, [])


def test_a_missing_mark_is_wrong_and_flagged():
    assert one("Paris", "Paris", after="Answer:") == ("valid", 0.0, ["no_answer"])


def test_a_cut_text_is_right_or_undecided():
    assert one("Par", "Paris", finish="length") == ("truncated", None, [])
    assert one("Paris", "Paris", finish="length") == ("valid", 1.0, [])
