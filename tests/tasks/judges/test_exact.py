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
        pytest.param("x Answer: no. Answer: Paris", "Paris", {"after": "Answer:"}, 1.0, id="after the last mark"),
        pytest.param("**Rome.**", "Paris", {}, 0.0, id="another answer"),
        pytest.param('"Paris."', "Paris", {}, 1.0, id="quotes and a closing stop"),
        pytest.param("It is large.\nThe answer is **Paris**.", "Paris", {}, 1.0, id="a marked answer"),
        pytest.param("La respuesta es Paris.", "Paris", {}, 1.0, id="a mark in another language"),
        pytest.param(
            "<a>Rome</a> no <a>Paris</a>", "Paris", {"pattern": "<a>(.*?)</a>"}, 1.0, id="a pattern of one's own"
        ),
        pytest.param("<a>Rome</a>", "Paris", {"pattern": "<a>(.*?)</a>"}, 0.0, id="wrong by a pattern"),
    ],
)
def test_text_is_compared_after_normalisation(text, reference, settings, score):
    assert one(text, reference, **settings) == ("valid", score, [])


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("Paris", {"after": "Answer:"}), ("Paris", {"pattern": "<a>(.*?)</a>"}), ("It is Paris", {}), ("", {}),
        ("I don't know.", {}), ("<think>Answer: Paris</think>", {}),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_found_is_never_a_score(text, settings):
    assert one(text, "Paris", **settings) == ("unparsable", None, ["no_mark"])


@pytest.mark.parametrize(
    ("settings", "part"), [({"pattern": "("}, "not a regular expression"), ({"pattern": "a", "after": "b"}, "not both")]
)
def test_settings_that_find_no_answer_are_refused(settings, part):
    with pytest.raises(ValueError, match=part):
        one("Paris", "Paris", **settings)


def test_a_cut_text_is_right_or_undecided():
    assert one("Par", "Paris", finish="length") == ("truncated", None, [])
    assert one("Paris", "Paris", finish="length") == ("valid", 1.0, [])


@pytest.mark.parametrize(("text", "reference"), [("1,000", "1000"), ("Answer: .5", "0.5"), ("\\frac{1}{2}", "1/2")])
def test_another_form_of_a_number_is_not_labelled_wrong(text, reference):
    assert one(text, reference) == ("unparsable", None, ["other_form"])
