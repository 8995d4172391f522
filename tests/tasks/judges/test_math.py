import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.judges.math import math


def one(text, reference, finish="stop", **settings):
    completion = {"completion_id": "c", "sample_index": 0, "messages": assistant(text), "finish_reason": finish}
    (row,) = math({"reference": reference}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        pytest.param("She has 16 - 3 = <<16-3=13>>13 eggs\nA: 13", "13", id="a line that starts with A:"),
        pytest.param("so 9 * 2 = $<<9*2=18>>18 every day.\n#### 18", "18", id="the mark of GSM8K"),
        pytest.param("A: 2,000,000", "2000000", id="thousands separators in the answer"),
        pytest.param("A: 3000", "3,000", id="thousands separators in the reference"),
        pytest.param("Answer: $26", "26", id="dollars"),
        pytest.param("The answer is 26 dollars.", "26", id="a unit and a full stop"),
        pytest.param("**Final Answer:** **26**", "26", id="markdown emphasis"),
        pytest.param("Final answer: \\boxed{26}", "26", id="boxed"),
        pytest.param("so \\boxed{\\frac{1}{2}}", "0.5", id="a boxed fraction for a decimal"),
        pytest.param("Answer:\n-1.80", "-1.8", id="a negative decimal on the next line"),
        pytest.param("A: −7", "-7", id="a real minus sign"),
        pytest.param("A: -$7", "-7", id="a minus before the dollar"),
        pytest.param("A: 7/14", "1/2", id="an unreduced fraction"),
        pytest.param("A: 1 1/2 cups", "1.5", id="a mixed number with a unit"),
        pytest.param("A: 1.8 billion", "1800000000", id="a scale word"),
        pytest.param("A: 50%", "50", id="per cent for the number"),
        pytest.param("A: 50%", "0.5", id="per cent for the fraction"),
        pytest.param("A: 5 + 5 = 10", "10", id="what an equation comes to"),
        pytest.param("A: x = 10", "10", id="a named value"),
        pytest.param("A: 100,282/pair", "100282", id="a unit behind a slash"),
        pytest.param("A: 25+25 dollars", "50", id="an unevaluated sum"),
        pytest.param("A: 12 x 5", "60", id="an unevaluated product"),
        pytest.param("\\boxed{2\\sqrt{2}}", "\\sqrt{8}", id="roots"),
        pytest.param("\\boxed{x^2+1}", "1+x^2", id="a polynomial in another order"),
        pytest.param("\\boxed{(1, 2)}", "(1,2)", id="a tuple"),
        pytest.param("first I thought A: 5\n but no\nA: 6", "6", id="the last mark counts"),
        pytest.param("The answer is in the text.\nA: 6", "6", id="a mark beats the phrase"),
        pytest.param("42", "42", id="nothing but a number"),
        pytest.param("A: fifty", "50", id="in words"),
        pytest.param("A: Tuesday", "tuesday", id="the same word"),
        pytest.param("A: 18", "16 - 3 - 4 = 9\n9 * 2 = 18\n#### 18", id="a whole solution as reference"),
    ],
)
def test_a_right_answer_scores_one(text, reference):
    row = one(text, reference)
    assert (row["outcome"], row["score"], row["flags"]) == ("valid", 1.0, [])


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        pytest.param("A: 26", "18", id="another number"),
        pytest.param("A: 8399", "8400", id="nearly"),
        pytest.param("A: 32.5", "32", id="not rounded"),
        pytest.param("A: 5", "-5", id="another sign"),
        pytest.param("A: -1.8 billion", "2", id="the scale counts"),
        pytest.param("A: 2 billion", "2", id="a unit is no scale"),
        pytest.param("18 eggs and 2 hens.\nA: 20", "18", id="a right number that is not the answer"),
        pytest.param("A: 1/5", "2", id="a fraction"),
        pytest.param("\\boxed{x^2-1}", "x^2+1", id="another polynomial"),
    ],
)
def test_a_wrong_answer_scores_zero(text, reference):
    row = one(text, reference)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)


@pytest.mark.parametrize(
    ("text", "reference", "flag"),
    [
        pytest.param("For the thirteenth glass he pays 5 * 1", "64", "no_mark", id="no mark"),
        pytest.param("A:", "64", "no_mark", id="nothing behind the mark"),
        pytest.param("Plan A: 64 and then more", "64", "no_mark", id="a mark must begin its line"),
        pytest.param("#### Step 2: add\n64 apples and so on", "64", "no_mark", id="a heading is no mark"),
    ],
)
def test_no_answer_is_unparsable_or_where_asked_for_wrong(text, reference, flag):
    left, wrong = one(text, reference), one(text, reference, no_answer="wrong")
    assert (left["outcome"], left["score"]) == ("unparsable", None)
    assert (wrong["outcome"], wrong["score"]) == ("valid", 0.0)
    assert left["flags"] in ([flag], ["empty_mark"])
    assert left["flags"] == wrong["flags"]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        pytest.param("A: 50+John's age", "50", id="holds the reference's number"),
        pytest.param("A: 10+John's age", "50", id="no number comes out"),
        pytest.param("A: 3 and a half", "3.5", id="partly in words"),
        pytest.param("A: 5 or 6", "6", id="two answers"),
    ],
)
def test_an_answer_that_is_not_understood_is_never_a_score(text, reference):
    row = one(text, reference)
    assert (row["outcome"], row["score"], len(row["flags"])) == ("unparsable", None, 1)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        pytest.param("First she", "truncated", id="cut before the answer"),
        pytest.param("A: 2", "truncated", id="cut inside the answer, perhaps"),
        pytest.param("so \\boxed{2", "truncated", id="cut inside the box"),
        pytest.param("A: 26\nBecause", "valid", id="cut after the answer"),
        pytest.param("\\boxed{26} beca", "valid", id="cut after the box"),
    ],
)
def test_a_cut_solution_is_judged_only_by_an_answer_that_is_complete(text, outcome):
    row = one(text, "26", finish="length")
    assert (row["outcome"], row["score"]) == (outcome, 1.0 if outcome == "valid" else None)


def test_a_reference_that_cannot_be_read_gives_no_score():
    row = one("A: 5", "it depends on the weather")
    assert (row["outcome"], row["score"], row["flags"]) == ("unparsable", None, ["readers_differ"])


def test_an_expression_math_verify_gives_up_on_is_no_verdict():
    row = one("\\boxed{9^{9^{9}}}", "5")
    assert row["outcome"] == "unparsable"
    assert row["score"] is None


@pytest.mark.parametrize("reason", ["empty", "refused", "filtered"])
def test_a_completion_without_an_answer_is_not_judged(reason):
    completion = {"completion_id": "c", "sample_index": 0, "messages": assistant("A: 5"), "finish_reason": reason}
    assert math({"reference": "5"}, [completion]) == []


def test_rows_stand_in_sample_order_and_name_the_answer():
    rows = [
        {"completion_id": name, "sample_index": i, "messages": assistant(f"A: {i}"), "finish_reason": "stop"}
        for i, name in enumerate("abc")
    ]
    judged = math({"reference": "1"}, rows[::-1])
    assert [row["subjects"] for row in judged] == [["a"], ["b"], ["c"]]
    assert [row["score"] for row in judged] == [0.0, 1.0, 0.0]
    assert judged[0]["rationale"] == "answer '0', reference '1'"
    assert {row["kind"] for row in judged} == {"pointwise"}


@settings(deadline=None)
@given(
    st.integers(-(10**9), 10**9), st.sampled_from(["A: {}", "#### {}", "Answer: ${}", "\\boxed{{{}}}", "A: {} eggs"])
)
def test_every_integer_is_read_back_in_every_form(number, form):
    for written in (str(number), f"{number:,}", f"{number}.0"):
        assert one(form.format(written), str(number))["score"] == 1.0
        assert one(form.format(written), str(number + 1))["score"] == 0.0


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_the_judge_fail_or_right_by_chance(text):
    row = one("A: " + text.replace("7", ""), "777777")
    assert row["outcome"] in ("valid", "unparsable", "truncated")
    assert (row["score"] is None) == (row["outcome"] != "valid")


@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [
        pytest.param("\\boxed{y-9=0}", "y-8=0", 0.0, id="equations with one right-hand side"),
        pytest.param("\\boxed{300\\%}", "3\\%", 0.0, id="percentages a hundredfold off"),
        pytest.param("\\boxed{\\textbf{(D)}\\ 17}", "D", 1.0, id="a letter with its option's text"),
        pytest.param("\\boxed{\\textbf{(B)}\\ 17}", "D", 0.0, id="another letter"),
        pytest.param("\\boxed{12\\text{ cm}^2}", "12", 1.0, id="a unit with a power"),
        pytest.param("\\boxed{√5}", "\\sqrt{5}", 1.0, id="Unicode"),
        pytest.param("\\boxed{\\$2{,}400}", "2400", 1.0, id="currency with grouping braces"),
        pytest.param("La respuesta es 7,5.", "7.5", 1.0, id="a decimal comma where the mark is Spanish"),
        pytest.param("Die Antwort lautet 1.250 Euro.", "1250", 1.0, id="German grouping"),
        pytest.param("কাজেই উত্তর হলো ৪২।", "42", 1.0, id="digits of another script"),
    ],
)
def test_answers_are_compared_by_what_they_mean(text, reference, score):
    row = one(text, reference)
    assert (row["outcome"], row["score"]) == ("valid", score)
