import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.readers.answers import answer_key, judge_answer, read_answer
from tests.support.answer_wordings import NO_ANSWERS, WORDINGS


@pytest.mark.parametrize("language", WORDINGS)
@pytest.mark.parametrize("before", ["", "7 + 2 = 9.\n\n"])
def test_the_usual_wordings_of_a_language_are_read(language, before):
    for wording in WORDINGS[language]:
        reply = before + wording.format("18", "18")
        assert judge_answer(reply, "18").result == "right", reply
        assert judge_answer(reply, "9").result == "wrong", reply


@pytest.mark.parametrize("reply", NO_ANSWERS)
def test_a_statement_that_gives_no_answer_is_neither_right_nor_wrong(reply):
    assert judge_answer(reply, "18").result == "unknown"
    assert judge_answer(reply, "77").result == "unknown" or " or " in reply


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("\\fbox{42}", "42"),
        ("\\boxed 42", "42"),
        ("so $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"),
        ("<think>a</think>\n<answer>42</answer>", "42"),
        ("<think>40</think><answer>41 + 1 is the sum.\nThe answer is 42.</answer>", "42"),
        ("[ANSWER]42[/ANSWER]", "42"),
        ("<solution>2 * 21\n\\boxed{42}</solution>", "42"),
        ("### Final Answer\n\n42", "42"),
        ("**Final Answer**\n\n42", "42"),
        ("The answer is:\n\\[\n18\n\\]", "\\[\n18\n\\]"),
        ("Final Answer: The final answer is $\\frac{1}{2}$. I hope it is correct.", "$\\frac{1}{2}$"),
        ('{"answer": 42}', "42"),
        ('Here it is:\n```json\n{"reasoning": "6 * 7", "final_answer": 42}\n```', "42"),
        ("6 * 7\n#### x+1", "x+1"),
        ("We add them.\n\n**3 bolts**", "3 bolts"),
        ("Thus, the answer is (C).", "(C)"),
        ("Option C", "C"),
        ("故选：C", "C"),
        ("## Solution\n\nThe product is **42**.", "42"),
        ("The answer is 4. Wait, I left out 1. The answer is 5.", "5"),
        ("\\boxed{4}\n\nI made a mistake. The answer is 5.", "5"),
        ("A: 18\n\nQ: And with 20 eggs?\nA: 26", "18"),
        ("<|channel|>analysis<|message|>so 7<|end|><|channel|>final<|message|>Answer: 8<|return|>", "8"),
        ("The answer is 18 because 9 * 2 = 18.", "18"),
    ],
)
def test_the_answer_is_what_the_reply_marks(reply, answer):
    reading = read_answer(reply).answer
    assert reading is not None
    assert reading.text == answer


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("<think>So it is \\boxed{7}.</think> I am not sure.", "no_mark"),
        ("<think>So it is \\boxed{7}.", "no_mark"),
        ("so \\boxed{7", "no_mark"),
        ("\\boxed{}", "no_mark"),
        ("Put it in \\boxed{answer}.", "no_mark"),
        ("<think></think><answer></answer>", "no_mark"),
        ("The answer is 41. The answer is 42.", "marks_differ"),
        ("The answer is 4. Wait, that leaves out the 1, so it is 5.", "corrected"),
        ("Let me see, 3 + 4 makes 7 and a bit", "no_mark"),
    ],
)
def test_a_reply_without_a_plain_answer_says_why(reply, reason):
    assert read_answer(reply) == (None, reason)


def test_boxes_side_by_side_are_a_list():
    reply = "The solutions are $x=\\boxed{3}$ and $x=\\boxed{5}$."
    assert judge_answer(reply, "3, 5").result == "right"
    assert judge_answer(reply, "5").result == "unknown"
    assert judge_answer("\\boxed{41} \\boxed{42} \\boxed{43}", "42").result == "unknown"


@pytest.mark.parametrize(
    "reference", ["Paris", "x^2 + 1", "12:00", "I don't know", "the derivative", "-3", "\\frac{3}{0}"]
)
def test_a_reply_equal_to_its_reference_is_right(reference):
    assert judge_answer(reference, reference).result == "right"


def test_equal_answers_have_one_key():
    assert answer_key("La respuesta es 1250.") == answer_key("so \\boxed{1,250}") == answer_key("#### $1250.00")
    assert answer_key("I would say 1250, or so") is None


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=120), st.integers(-9999, 9999))
def test_a_boxed_last_line_is_read_whatever_stands_in_the_prose_before(before, number):
    before = before.replace("<", "").replace("[", "").replace("\\", "").replace("`", "").replace("◁", "")
    result = judge_answer(f"{before}\n\nTherefore, the final answer is \\boxed{{{number}}}.", str(number)).result
    assert result == "right"


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet="answer is: 0123 \\boxed{}()$.\n*#<>/think-?是。", max_size=200))
def test_no_text_makes_the_reader_fail(text):
    verdict = judge_answer(text, "777777")
    assert verdict.result in ("wrong", "unknown")


@pytest.mark.parametrize(
    "piece",
    ["The answer is 4. ", "\\boxed{", "\\boxed{4}", "<think>", "<answer>", "{", "$", "####", "\n", "答案", "A: 3\n"],
)
def test_a_long_text_of_one_kind_is_read(piece):
    assert judge_answer(piece * (200_000 // len(piece)), "777777").result in ("wrong", "unknown")


def test_a_point_that_may_group_or_divide_is_not_known_where_no_words_tell():
    assert judge_answer("Sie zahlt \\boxed{1.250}.", "1250").result == "unknown"
    assert judge_answer("R: 1.250", "1250").result == "right"
    assert judge_answer("The answer is 1.250.", "1250").result == "wrong"
