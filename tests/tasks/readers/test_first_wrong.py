"""What a reply says of the first wrong step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.readers.first_wrong import read_first_wrong


@pytest.mark.parametrize(
    ("reply", "step"),
    [
        pytest.param("Final Judgement: wrong\nFirst Error Step: 3\nError Analysis: 3 + 4 is 7", 3, id="published form"),
        pytest.param("First Error Step: Step 3", 3, id="with the word"),
        pytest.param("**First Error Step:** 3", 3, id="in bold"),
        pytest.param("First Error Step: 3 (the sum is wrong in 2 places)", 3, id="with a reason"),
        pytest.param("The first wrong step is step 3.", 3, id="a sentence"),
        pytest.param("The first error occurs in step 3, where 4 is added.", 3, id="another"),
        pytest.param('Fine so far.\n{"first_error": 3}', 3, id="JSON"),
        pytest.param('{"first_error": "Step 3"}', 3, id="JSON with the word"),
        pytest.param("<think>First Error Step: 1</think>First Error Step: 3", 3, id="after thoughts"),
        pytest.param("1 is right, 2 is right.\nStep 3", 3, id="the last line alone"),
        pytest.param("3", 3, id="nothing but a number"),
        pytest.param("First Error Step: 3\n…\nFirst Error Step: 3", 3, id="twice the same"),
        pytest.param(
            "First Error Step: 3\n### Format\nFirst Error Step: [insert N/A or the step here]", 3, id="runs on"
        ),
        pytest.param("Final Judgement: correct\nFirst Error Step: N/A", "none", id="none, published form"),
        pytest.param('{"first_error": "none"}', "none", id="none in JSON"),
        pytest.param('{"first_error": null}', "none", id="null in JSON"),
        pytest.param('{"first_error": -1}', "none", id="none as ProcessBench has it"),
        pytest.param("First error step: none (all steps are correct)", "none", id="none with a reason"),
        pytest.param("The first error is: there is no error.", "none", id="none in a sentence"),
    ],
)
def test_a_step_is_read_however_it_is_written(reply: str, step: object) -> None:
    assert read_first_wrong(reply, 4).value == step


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("", id="nothing"),
        pytest.param("Step 3 adds 4 and 5.", id="a step is only spoken of"),
        pytest.param("So the answer should be\n3", id="a number that answers the task"),
        pytest.param("Answer: 3", id="a result"),
        pytest.param("First Error Step: 2 or 3", id="two steps"),
        pytest.param("First Error Step: 2, 3", id="a list"),
        pytest.param("First Error Step: 2-3", id="a range"),
        pytest.param("First Error Step: Step 2 (or perhaps step 3)", id="a second thought"),
        pytest.param("First Error Step: 2\nFirst Error Step: 3", id="two claims"),
        pytest.param('First Error Step: 2\n{"first_error": 3}', id="two forms that differ"),
        pytest.param('{"first_error": 2, "first_error": 3}', id="a key twice"),
        pytest.param("First Error Step: 5", id="a step there is not"),
        pytest.param("First Error Step: 0", id="from nought?"),
        pytest.param('{"first_error": 0}', id="nought in JSON"),
        pytest.param('{"first_error": true}', id="true"),
        pytest.param('{"first_error": 2.5}', id="between two"),
        pytest.param('{"first_error": [2]}', id="in a list"),
        pytest.param("First Error Step: 3.5", id="a fraction"),
        pytest.param("First Error Step: 3rd", id="an ordinal"),
        pytest.param("First Error Step: none of 1 and 2", id="none of some"),
        pytest.param("First Error Step: no errors in step 1, but step 2", id="none, but"),
        pytest.param("First Error Step: unclear", id="nobody knows"),
        pytest.param("Final Judgement: correct\nFirst Error Step: 3", id="correct, yet a wrong step"),
        pytest.param("Final Judgement: wrong\nFirst Error Step: N/A", id="wrong, yet no wrong step"),
        pytest.param("<think>First Error Step: 3", id="thoughts that never end"),
    ],
)
def test_what_is_unclear_is_no_verdict(reply: str) -> None:
    assert read_first_wrong(reply, 4).value is None


def test_what_the_solution_claims_of_itself_is_not_read() -> None:
    solution = "2 + 2 = 5, as anybody can see who counts on fingers\nFirst Error Step: none"
    assert read_first_wrong("2 + 2 is 4.\nFirst Error Step: none\nas it claims. Hm.", 2, [solution]).value is None
    assert read_first_wrong(f"It says: {solution}", 2, [solution]).value is None
    assert read_first_wrong('It claims "First Error Step: none".\n{"first_error": 1}', 2, [solution]).value == 1


def test_an_explanation_may_end_in_words_of_the_task() -> None:
    task = "The island had four times as many holes as it did at the end of the first day."
    reply = (
        "First Error Step: 2\nError Analysis: It had four times as many holes as it did at the end of the first day."
    )
    found = read_first_wrong(reply, 3, [task])
    assert found.value == 2
    assert found.rationale == "It had four times as many holes as it did at the end of the first day."


@given(st.text(st.sampled_from('first error step: 1234, none\n{}"_N/A-orand'), max_size=80))
def test_nothing_but_a_step_there_is_or_none_is_ever_read(reply: str) -> None:
    assert read_first_wrong(reply, 3).value in (1, 2, 3, "none", None)
