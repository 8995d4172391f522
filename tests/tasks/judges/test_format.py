import pytest

from schemas.messages import assistant
from tasks.judges.format import format as form

TAGS = {"tags": ["think", "answer"]}
GOOD = "<think>\n2 + 2 is 4\n</think>\n<answer>4</answer>"


def one(text, finish="stop", **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": finish}
    (row,) = form({}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (GOOD, TAGS),
        (f"Well. {GOOD} So.", {**TAGS, "outside": True}),
        ("Dear Ada, hello. Yours", {"starts_with": "Dear", "ends_with": "Yours", "contains": ["hello"]}),
        (" no such word ", {"lacks": ["never"]}),
    ],
)
def test_a_text_of_the_form_is_right(text, settings):
    assert (one(text, **settings)["score"], one(text, **settings)["rationale"]) == (1.0, None)


@pytest.mark.parametrize(
    ("text", "settings", "why"),
    [
        ("4", TAGS, "<think> does not stand there once"),
        ("<think>x</think>", TAGS, "<answer> does not stand there once"),
        (GOOD + GOOD, TAGS, "<think> does not stand there once"),
        ("<answer>4</answer><think>x</think>", TAGS, "there is text before <think>"),
        ("</think>x<think><answer>4</answer>", TAGS, "<think> stands in the wrong place"),
        ("<think> </think><answer>4</answer>", TAGS, "<think> is blank"),
        (f"Well. {GOOD}", TAGS, "there is text before <think>"),
        (f"{GOOD} So.", TAGS, "there is text after the last tag"),
        ("Hello", {"starts_with": "Dear"}, "it does not start with 'Dear'"),
        ("Hello", {"ends_with": "Yours"}, "it does not end with 'Yours'"),
        ("I never said", {"lacks": ["never"]}, "it holds 'never'"),
    ],
)
def test_a_text_of_another_form_is_wrong_and_says_why(text, settings, why):
    row = one(text, **settings)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"].startswith(why)


def test_a_cut_text_is_truncated_where_the_rest_may_have_mended_it():
    assert one("<think>2 + 2", "length", **TAGS)["outcome"] == "truncated"
    assert one("I never", "length", lacks=["never"])["score"] == 0.0
    assert one("Hello", "length", starts_with="Dear")["score"] == 0.0


def test_a_form_must_be_asked_for():
    with pytest.raises(ValueError, match="no form is asked for"):
        one("x")
