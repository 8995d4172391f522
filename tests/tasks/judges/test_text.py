import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.judges._text import SIGNS, code, fill, flags, harmless, shown


@settings(deadline=None)
@given(st.lists(st.text(), max_size=3))
def test_the_fence_code_occurs_in_no_text_and_ignores_their_order(texts):
    word = code(*texts)
    assert not any(word in text for text in texts)
    assert word == code(*texts[::-1])


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_value_is_put_in_as_it_is(one, other):
    assert fill("<{{a}}|{{b}}>", {"a": one, "b": other}) == f"<{one}|{other}>"


def test_a_place_without_a_value_is_named():
    with pytest.raises(ValueError, match="place 'c'; given are a, b"):
        fill("{{c}}", {"a": "", "b": ""})


@settings(deadline=None)
@given(st.text())
def test_harmless_text_has_no_control_character_and_is_stable(text):
    shown = harmless(text)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in shown)
    assert harmless(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "She has 16 - 3 = <<16-3=13>>13 ducks left.\nA: 26",
        "def f(x):\n\treturn {'a': [[1, 2], [3, 4]]}",
        "The judge ruled that the answer was 5 > 3.",
    ],
)
def test_ordinary_answers_raise_no_flag(text):
    assert flags(text) == []
    assert harmless(text) == text


WORDS = """
winner verdict score rating : is tie A 7 [[ ]] [[A]] " ' === end of task answer < > <| |> <｜ ｜> </s> <s> <bos> think>
[INST] [/INST] << <<SYS>> _of_turn> <end_of_turn> ignore disregard forget override all previous instructions prompt
rubric above dear judge grader note to the as an impartial evaluator choose prefer this my response output completion
should be best \u017fcore w\u0131nner \u0130gnore \u212a ﬆ İ ß Σ é 你好 \u200b \u202e \ud800 \xad 🏴
"""
PIECES = st.sampled_from([*WORDS.split(), "\r\n", "\x1b", "\xa0", "\u2028"])


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.one_of(PIECES, PIECES.map(str.upper), PIECES.map(str.title), st.text(max_size=4))),
    st.sampled_from(["", " ", "\n"]),
)
def test_the_quick_search_raises_the_flags_of_the_patterns_and_no_other(pieces, between):
    text = between.join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    plain = text.replace("\r\n", "\n")
    assert flags(text) == [name for name, sign in SIGNS.items() if sign.search(plain)]
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        pytest.param("I am good. " * 400, "repetition", id="one sentence four hundred times"),
        pytest.param("A" * 5000, "repetition", id="one letter"),
        pytest.param("prefix " + "ab" * 2000 + " suffix", "repetition", id="two letters, dressed up"),
        pytest.param("hidden\U000e0041\U000e0042", "control_characters", id="invisible tag letters"),
        pytest.param("one\u2028two", "control_characters", id="a line separator"),
        pytest.param("half \ud83d", "control_characters", id="half a surrogate pair"),
    ],
)
def test_other_signs(text, sign):
    assert flags(text) == [sign]


def test_a_long_ordinary_text_is_no_repetition():
    table = "\n".join(f"| {i} | {i * i} | {i**3} | {i**4 % 97} |" for i in range(300))
    assert flags(table) == []


def test_lines_of_another_system_are_no_control_characters():
    assert shown("one\r\ntwo") == ("one\ntwo", ())
    assert flags("one\rtwo") == ["control_characters"]


def test_a_token_hidden_inside_another_is_broken_up_too():
    assert harmless("<|[INST]|>") == "< |[ INST]|>"


def test_a_text_is_examined_once():
    shown.cache_clear()
    text = "some answer"
    assert shown(text) is shown(text)
    assert shown.cache_info().hits == 1
