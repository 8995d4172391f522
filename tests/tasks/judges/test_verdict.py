import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.judges._verdict import read_score, read_winner


@pytest.mark.parametrize(
    ("text", "winner"),
    [
        pytest.param('{"winner": "A"}', "A", id="json"),
        pytest.param('Because.\n```json\n{"reason": "x {y}", "winner": "b"}\n```', "B", id="json in a code block"),
        pytest.param('{"rationale": "line\nbreak", "winner": "tie"}', "tie", id="a raw line break inside json"),
        pytest.param("I prefer the second. [[B]]", "B", id="double brackets"),
        pytest.param("[[C]]", "tie", id="the tie of MT-bench"),
        pytest.param("Both are fine.\n\nA", "A", id="a last line"),
        pytest.param("Reasons.\n**Winner: Answer B**", "B", id="a last line in words"),
        pytest.param("Final verdict: tie.", "tie", id="a last line that ties"),
        pytest.param("first", "A", id="by place"),
        pytest.param("The second answer", "B", id="by place in words"),
        pytest.param('<think>[[A]] or {"winner": "A"}?</think>[[B]]', "B", id="thoughts do not count"),
        pytest.param('{"winner": "A"}\nSo [[A]]', "A", id="twice the same"),
    ],
)
def test_a_clear_verdict_is_read(text, winner):
    assert read_winner(text).value == winner


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("A is longer but B is right, hard to say", id="prose"),
        pytest.param('{"winner": "A"} no, {"winner": "B"}', id="two verdicts"),
        pytest.param('{"winner": "A"}\n[[B]]', id="two forms that differ"),
        pytest.param('{"winner": "A", "winner": "B"}', id="one key twice"),
        pytest.param('{"winner": "neither"}', id="a name that is none"),
        pytest.param('{"winner": null}', id="null"),
        pytest.param('{"winner": ["A"]}', id="a list"),
        pytest.param('{"winner": true}', id="a boolean"),
        pytest.param("<think>the winner must be\nA", id="thoughts that never end"),
        pytest.param('"winner" holds "A", "B", or "tie"', id="the instruction itself"),
        pytest.param('{"a":' * 5000, id="absurdly nested"),
    ],
)
def test_anything_else_is_no_verdict(text):
    assert read_winner(text).value is None


@pytest.mark.parametrize(
    ("text", "score"),
    [
        pytest.param('{"score": 7}', 7.0, id="json"),
        pytest.param('{"score": "7/10"}', 7.0, id="text with the scale"),
        pytest.param("Rating: [[8.5]]", 8.5, id="double brackets"),
        pytest.param("It has 3 faults and 2 merits.\nScore: 4 out of 10.", 4.0, id="the score at the end"),
        pytest.param("4", 4.0, id="a bare number"),
        pytest.param('{"score": 4}{"score": 4.0}', 4.0, id="twice the same"),
    ],
)
def test_a_clear_score_is_read(text, score):
    assert read_score(text, 1, 10).value == score


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"score": -3}', id="the sign counts"),
        pytest.param("Score: -3", id="the sign counts in a line"),
        pytest.param('{"score": true}', id="a boolean"),
        pytest.param('{"score": Infinity}', id="infinite"),
        pytest.param('{"score": "4/5"}', id="another scale"),
        pytest.param('{"score": 4} or {"score": 5}', id="two scores"),
        pytest.param("Of 10 points it earns a few", id="a number in prose"),
        pytest.param('{"score": 1e999}', id="overflow"),
    ],
)
def test_an_unclear_score_is_none(text):
    assert read_score(text, 1, 10).value is None


def test_the_rationale_is_taken_from_the_object():
    assert read_winner('{"explanation": "shorter", "winner": "A"}').rationale == "shorter"
    assert read_winner("[[A]]").rationale is None


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_parsers(text):
    assert read_winner(text).value in ("A", "B", "tie", None)
    score = read_score(text, 1, 10).value
    assert score is None or 1 <= score <= 10
