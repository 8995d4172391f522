import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.judges._text import code, fill, flags, harmless


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
