from math import log

from hypothesis import given
from hypothesis import strategies as st

from tasks.texts.likeness import NAMES, likeness


def test_a_pair_in_numbers():
    found = dict(zip(NAMES, likeness("Add 2 and 3?", "it is 5", "it is not 5 but 6!"), strict=True))
    assert found["length gap"] == round(log(19 / 8), 4)
    assert found["words in common"] == round(3 / 6, 4)
    assert found["figures in the prompt"] == round(2 / 12, 4)
    assert found["question"] == 1.0
    assert found["words of the prompt"] == 0.0


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_it_does_not_matter_which_answer_stands_first(prompt, one, other):
    assert likeness(prompt, one, other) == likeness(prompt, other, one)
